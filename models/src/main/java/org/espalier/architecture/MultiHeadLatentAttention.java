package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.program.LatentAttention;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.View;
import org.espalier.slice.Share;
import org.espalier.slice.Share.Cut;

/**
 * Multi-head latent attention, <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a> section 2.1, from the normed residual stream to
 * a part of the block: {@link #query}, {@link #latent}, {@link #attend}. Only the latent and one rotated key for all heads are kept. Each layer
 * reuses the slots, and begins with its own cut of the heads; what belongs to no head, every node computes.
 */
final class MultiHeadLatentAttention {

    /** Epsilon of the norms inside, for which transformers and the published code do not use {@code rms_norm_eps}. */
    private static final float LATENT_NORM_EPS = 1e-6f;

    private final Decoder decoder;
    private final LatentAttentionConfig config;
    private final Bias bias;
    private final Rope rope;
    /** [T, query rank], c_Q before and after its norm; null where queries are projected in one step. */
    private final View queryLatent;

    private final View queryLatentNormed;
    private final View querySlot;
    private final View mixedSlot;
    /** [T, kv rank + rope], c_KV before its norm, then k_R. */
    private final View compressed;
    /** [T, kv rank], c_KV. */
    private final View latent;
    /** [T, rope], k_R. */
    private final View keyRope;

    /** The heads of this node in the layer, H of all. */
    private Cut heads;
    /** [T, heads * (nope + rope)], each head q_C then q_R. */
    private View query;
    /** [T, heads * value]. */
    private View mixed;
    /** The module whose c_Q is computed. */
    private String queryLatentOf;

    MultiHeadLatentAttention(Decoder decoder, LatentAttentionConfig config) {
        this.decoder = decoder;
        this.config = config;
        bias = Bias.of(config.bias());
        rope = RopeFrequencies.rope(decoder.weights.ropePairing(Rope.Pairing.INTERLEAVED), config.positions());
        queryLatent = config.queryRank() == 0 ? null : decoder.program.slot(config.queryRank());
        queryLatentNormed = config.queryRank() == 0 ? null : decoder.program.slot(config.queryRank());
        querySlot = decoder.program.growingSlot();
        compressed = decoder.program.slot(config.kvRank() + config.rope());
        latent = decoder.program.slot(config.kvRank());
        keyRope = compressed.columns(config.kvRank(), config.rope());
        mixedSlot = decoder.program.growingSlot();
    }

    /**
     * Computes c_Q, q_C and q_R.
     *
     * @param name for instance {@code model.layers.3.self_attn}
     */
    void query(String name) {
        Share share = decoder.shares().heads();
        int value = config.value();
        heads = decoder.cut(share, name + ".o_proj", config.heads() * value, value)
                .over(value);
        if (heads.isEmpty()) {
            return;
        }
        query = decoder.program.view(querySlot, heads.count() * queryWidth());
        mixed = decoder.program.view(mixedSlot, heads.count() * value);
        if (queryLatent == null) {
            query(decoder.normed, name + ".q_proj");
        } else {
            query(queryLatent(name), name + ".q_b_proj");
        }
        decoder.program.op(new Rotate(query, heads.count(), config.nope(), rope));
    }

    /** c_Q, also on a node without heads of this layer, for what belongs to no head; computed once a layer. */
    View queryLatent(String name) {
        if (!name.equals(queryLatentOf)) {
            decoder.linear(decoder.normed, name + ".q_a_proj", bias, queryLatent);
            decoder.norm(queryLatent, name + ".q_a_layernorm", LATENT_NORM_EPS, queryLatentNormed);
            queryLatentOf = name;
        }
        return queryLatentNormed;
    }

    private void query(View in, String module) {
        decoder.rowSliced(in, module, Bias.NONE, heads.times(queryWidth()), config.heads() * queryWidth(), query);
    }

    private int queryWidth() {
        return config.nope() + config.rope();
    }

    /** Computes c_KV and k_R. */
    void latent(String name) {
        if (heads.isEmpty()) {
            return;
        }
        decoder.linear(decoder.normed, name + ".kv_a_proj_with_mqa", bias, compressed);
        decoder.norm(compressed.columns(0, config.kvRank()), name + ".kv_a_layernorm", LATENT_NORM_EPS, latent);
        decoder.program.op(new Rotate(keyRope, 1, 0, rope));
    }

    /** Computes o and u, with k_C and v_C absorbed into the query and the output. */
    void attend(String name) {
        attendTo(null, name);
    }

    /**
     * The same over the rows that were chosen for each row.
     *
     * @param selection the layer whose {@link LightningIndexer#select} chose them
     */
    void attendToChosen(int selection, String name) {
        attendTo(selection, name);
    }

    /** @param selection null for all rows */
    private void attendTo(Integer selection, String name) {
        if (!heads.isEmpty()) {
            attendHeads(selection, name);
        }
        int value = config.value();
        decoder.columnSliced(
                mixed, name + ".o_proj", bias, decoder.shares().heads(), heads.times(value), config.heads() * value);
    }

    private void attendHeads(Integer selection, String name) {
        double softmaxScale =
                RopeFrequencies.mscaleSquared(config.positions().scaling()) / Math.sqrt(config.nope() + config.rope());
        decoder.program.op(new LatentAttention(
                query,
                latent,
                keyRope,
                decoder.weights.mlaKeyUp(name, config, heads),
                decoder.weights.mlaValueUp(name, config, heads),
                heads.count(),
                (float) softmaxScale,
                decoder.program.cache(config.cacheWidth()),
                selection,
                mixed));
    }
}
