package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.LlamaConfig;
import org.espalier.program.Program;

/**
 * {@code model_type: llama}. <a href="https://arxiv.org/abs/2302.13971">Llama</a> section 2.2 names the parts, <a
 * href="https://arxiv.org/abs/2407.21783">Llama 3</a> section 3.2 the later ones.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>x + attention(norm(x)), x + mlp(norm(x)) ("pre-normalization")</td><td>{@link #program}</td></tr>
 *   <tr><td>grouped-query attention</td><td>{@link GroupedQueryAttention}</td></tr>
 *   <tr><td>rotary embeddings, Llama 3's with scaled frequencies</td><td>{@link RopeFrequencies}</td></tr>
 *   <tr><td>SwiGLU</td><td>{@link Decoder#mlp}</td></tr>
 * </table>
 */
record Llama(LlamaConfig config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        Bias attentionBias = Bias.of(config.attentionBias());
        Bias mlpBias = Bias.of(config.mlpBias());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", attentionBias);
            attention.rotate();
            attention.attend(layer);
            attention.output(name + ".self_attn", attentionBias);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            decoder.mlp(decoder.normed, name + ".mlp", mlpBias, config.intermediate(), decoder.block);
            decoder.addBlock();
        });
    }
}
