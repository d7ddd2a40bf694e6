package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.Qwen3Config;
import org.espalier.program.Program;

/**
 * {@code model_type: qwen3}, <a href="https://arxiv.org/abs/2505.09388">Qwen3</a> section 2: {@link Qwen2} whose biases are replaced by a
 * norm of each query and key head.
 */
record Qwen3(Qwen3Config config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        Bias bias = Bias.of(config.attentionBias());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", bias);
            attention.normHeads(name + ".self_attn");
            attention.rotate();
            attention.attend(layer);
            attention.output(name + ".self_attn", bias);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            decoder.mlp(decoder.normed, name + ".mlp", config.intermediate(), decoder.block);
            decoder.addBlock();
        });
    }
}
