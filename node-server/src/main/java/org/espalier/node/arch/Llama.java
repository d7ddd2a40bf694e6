package org.espalier.node.arch;

import org.espalier.EspalierException;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.engine.program.Op;
import org.espalier.engine.program.Program;
import org.espalier.engine.program.Rope;
import org.espalier.engine.program.View;
import org.espalier.model.LlamaConfig;

/**
 * {@code model_type: llama}. <a href="https://arxiv.org/abs/2302.13971">Llama</a> section 2.2 names the parts, <a
 * href="https://arxiv.org/abs/2407.21783">Llama 3</a> section 3.2 the later ones.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>x + attention(norm(x)), x + mlp(norm(x)) ("pre-normalization")</td><td>{@link #layer}</td></tr>
 *   <tr><td>grouped-query attention, softmax(q k / sqrt(head width)) v</td><td>{@link #attention}</td></tr>
 *   <tr><td>rotary embeddings, Llama 3's with scaled frequencies</td><td>{@link RopeFrequencies}</td></tr>
 *   <tr><td>SwiGLU</td><td>{@link Decoder#mlp}</td></tr>
 * </table>
 */
final class Llama implements Architecture {

    private final LlamaConfig config;

    Llama(LlamaConfig config) {
        if (config.mlpBias()) {
            throw new EspalierException("mlp_bias is true in the config: biases in llama's MLP are not computed yet");
        }
        this.config = config;
    }

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config, config.normEps(), checkpoint);
        Heads heads = new Heads(decoder);
        if (layers.embeds()) {
            decoder.embed();
        }
        for (int layer = layers.first(); layer < layers.end(); layer++) {
            layer(decoder, heads, "model.layers." + layer);
        }
        if (layers.yieldsLogits()) {
            decoder.logits();
        }
        return decoder.build();
    }

    /** Slots of the attention, used again by each layer. */
    private final class Heads {
        /** [T, H * head width]. */
        final View query;
        /** [T, kv heads * head width]. */
        final View key;
        /** [T, kv heads * head width]. */
        final View value;
        /** [T, H * head width]. */
        final View mixed;

        final Rope rope;

        Heads(Decoder decoder) {
            query = decoder.program.slot(config.heads() * config.headWidth());
            key = decoder.program.slot(config.kvHeads() * config.headWidth());
            value = decoder.program.slot(config.kvHeads() * config.headWidth());
            mixed = decoder.program.slot(config.heads() * config.headWidth());
            rope = RopeFrequencies.rope(
                    decoder.weights.ropePairing(Rope.Pairing.HALF),
                    config.headWidth(),
                    config.ropeTheta(),
                    config.ropeScaling());
        }
    }

    private void layer(Decoder decoder, Heads heads, String name) {
        decoder.normResidual(name + ".input_layernorm.weight");
        attention(decoder, heads, name + ".self_attn");
        decoder.addBlock();

        decoder.normResidual(name + ".post_attention_layernorm.weight");
        decoder.mlp(decoder.normed, name + ".mlp", config.intermediate(), decoder.block);
        decoder.addBlock();
    }

    private void attention(Decoder decoder, Heads heads, String name) {
        project(decoder, decoder.normed, name + ".q_proj", heads.query);
        project(decoder, decoder.normed, name + ".k_proj", heads.key);
        project(decoder, decoder.normed, name + ".v_proj", heads.value);
        float scale = (float) (1 / Math.sqrt(config.headWidth()));
        decoder.program
                .op(new Op.Rotate(heads.query, config.heads(), 0, heads.rope))
                .op(new Op.Rotate(heads.key, config.kvHeads(), 0, heads.rope))
                .op(new Op.Attention(
                        heads.query,
                        heads.key,
                        heads.value,
                        config.heads(),
                        config.kvHeads(),
                        scale,
                        null,
                        decoder.program.cache(config.cacheWidth()),
                        heads.mixed));
        project(decoder, heads.mixed, name + ".o_proj", decoder.block);
    }

    private void project(Decoder decoder, View in, String module, View out) {
        if (config.attentionBias()) {
            decoder.linearWithBias(in, module, out);
        } else {
            decoder.linear(in, module, out);
        }
    }
}
