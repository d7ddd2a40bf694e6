package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.program.Attention;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.View;

/**
 * The steps of grouped-query attention, from the normed residual stream to the block: {@link #project}, {@link #rotate}, {@link #attend},
 * {@link #output}. Architectures put steps of their own between them. Each layer reuses the slots.
 */
final class GroupedQueryAttention {

    /** [T, H * head width]. */
    final View query;
    /** [T, kv heads * head width]. */
    final View key;
    /** [T, kv heads * head width]. */
    final View value;
    /** [T, H * head width]. */
    final View mixed;

    private final Decoder decoder;
    private final GroupedAttentionConfig config;
    private final Rope rope;

    GroupedQueryAttention(Decoder decoder, GroupedAttentionConfig config) {
        this.decoder = decoder;
        this.config = config;
        query = decoder.program.slot(config.heads() * config.headWidth());
        key = decoder.program.slot(config.kvHeads() * config.headWidth());
        value = decoder.program.slot(config.kvHeads() * config.headWidth());
        mixed = decoder.program.slot(config.heads() * config.headWidth());
        rope = RopeFrequencies.rope(decoder.weights.ropePairing(Rope.Pairing.HALF), config.positions());
    }

    /**
     * q, k, v = W x.
     *
     * @param name for instance {@code model.layers.3.self_attn}
     */
    void project(String name, Bias bias) {
        decoder.linear(decoder.normed, name + ".q_proj", bias, query);
        decoder.linear(decoder.normed, name + ".k_proj", bias, key);
        decoder.linear(decoder.normed, name + ".v_proj", bias, value);
    }

    /** Norms each head of q and of k by itself, <a href="https://arxiv.org/abs/2010.04245">Henry et al. 2020</a>. */
    void normHeads(String name) {
        decoder.normHeads(query, config.heads(), name + ".q_norm");
        decoder.normHeads(key, config.kvHeads(), name + ".k_norm");
    }

    /** Rotates q and k by their positions. */
    void rotate() {
        decoder.program.op(new Rotate(query, config.heads(), 0, rope));
        decoder.program.op(new Rotate(key, config.kvHeads(), 0, rope));
    }

    /** softmax(q k / sqrt(head width)) v over the layer's window. */
    void attend(int layer) {
        attend(layer, null);
    }

    /** @param sinks name of a weight [1, H], or null */
    void attend(int layer, String sinks) {
        decoder.program.op(new Attention(
                query,
                key,
                value,
                Attention.grouped(config.heads(), config.kvHeads()),
                (float) (1 / Math.sqrt(config.headWidth())),
                sinks,
                decoder.program.cache(config.cacheWidth(), config.windows().get(layer)),
                mixed));
    }

    void output(String name, Bias bias) {
        decoder.linear(mixed, name + ".o_proj", bias, decoder.block);
    }
}
