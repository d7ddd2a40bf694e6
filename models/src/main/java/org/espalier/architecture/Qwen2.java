package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.Qwen2Config;
import org.espalier.program.Program;

/** {@code model_type: qwen2}, <a href="https://arxiv.org/abs/2407.10671">Qwen2</a> section 2.2.1: {@link Llama} with biases on q, k and v. */
record Qwen2(Qwen2Config config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", Bias.ADDED);
            attention.rotate();
            attention.attend(layer);
            attention.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            decoder.mlp(decoder.normed, name + ".mlp", config.intermediate(), decoder.block);
            decoder.addBlock();
        });
    }
}
