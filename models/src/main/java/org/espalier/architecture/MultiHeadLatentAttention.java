package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.program.LatentAttention;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.View;

/**
 * Multi-head latent attention, <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a> section 2.1, from the normed residual stream to
 * the block: {@link #query}, {@link #latent}, {@link #attend}. Only the latent and one rotated key for all heads are kept. Each layer
 * reuses the slots.
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
    /** [T, H * (nope + rope)], each head q_C then q_R. */
    private final View query;
    /** [T, kv rank + rope], c_KV before its norm, then k_R. */
    private final View compressed;
    /** [T, kv rank], c_KV. */
    private final View latent;
    /** [T, rope], k_R. */
    private final View keyRope;
    /** [T, H * value]. */
    private final View mixed;

    MultiHeadLatentAttention(Decoder decoder, LatentAttentionConfig config) {
        this.decoder = decoder;
        this.config = config;
        bias = Bias.of(config.bias());
        rope = RopeFrequencies.rope(decoder.weights.ropePairing(Rope.Pairing.INTERLEAVED), config.positions());
        queryLatent = config.queryRank() == 0 ? null : decoder.program.slot(config.queryRank());
        queryLatentNormed = config.queryRank() == 0 ? null : decoder.program.slot(config.queryRank());
        query = decoder.program.slot(config.heads() * (config.nope() + config.rope()));
        compressed = decoder.program.slot(config.kvRank() + config.rope());
        latent = decoder.program.slot(config.kvRank());
        keyRope = compressed.columns(config.kvRank(), config.rope());
        mixed = decoder.program.slot(config.heads() * config.value());
    }

    /**
     * Computes c_Q, q_C and q_R.
     *
     * @param name for instance {@code model.layers.3.self_attn}
     */
    void query(String name) {
        if (queryLatent == null) {
            decoder.linear(decoder.normed, name + ".q_proj", query);
        } else {
            decoder.linear(decoder.normed, name + ".q_a_proj", bias, queryLatent);
            decoder.norm(queryLatent, name + ".q_a_layernorm", LATENT_NORM_EPS, queryLatentNormed);
            decoder.linear(queryLatentNormed, name + ".q_b_proj", query);
        }
        decoder.program.op(new Rotate(query, config.heads(), config.nope(), rope));
    }

    /** Computes c_KV and k_R. */
    void latent(String name) {
        decoder.linear(decoder.normed, name + ".kv_a_proj_with_mqa", bias, compressed);
        decoder.norm(compressed.columns(0, config.kvRank()), name + ".kv_a_layernorm", LATENT_NORM_EPS, latent);
        decoder.program.op(new Rotate(keyRope, 1, 0, rope));
    }

    /** Computes o and u, with k_C and v_C absorbed into the query and the output. */
    void attend(String name) {
        double softmaxScale =
                RopeFrequencies.mscaleSquared(config.positions().scaling()) / Math.sqrt(config.nope() + config.rope());
        decoder.program.op(new LatentAttention(
                query,
                latent,
                keyRope,
                decoder.weights.mlaKeyUp(name, config),
                decoder.weights.mlaValueUp(name, config),
                config.heads(),
                (float) softmaxScale,
                decoder.program.cache(config.cacheWidth()),
                mixed));
        decoder.linear(mixed, name + ".o_proj", bias, decoder.block);
    }
}
