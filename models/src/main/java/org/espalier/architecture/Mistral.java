package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.MistralConfig;
import org.espalier.program.Program;

/**
 * {@code model_type: mistral}, <a href="https://arxiv.org/abs/2310.06825">Mistral 7B</a>: {@link Llama} whose attention sees a sliding
 * window (section 2; later versions of the model have none).
 */
record Mistral(MistralConfig config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", Bias.NONE);
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
