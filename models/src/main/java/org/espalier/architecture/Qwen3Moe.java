package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.Qwen3MoeConfig;
import org.espalier.program.Program;

/**
 * {@code model_type: qwen3_moe}, <a href="https://arxiv.org/abs/2505.09388">Qwen3</a> section 2: {@link Qwen3} with experts, none of them
 * shared.
 */
record Qwen3Moe(Qwen3MoeConfig config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
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
            if (config.experts().layers().contains(layer)) {
                moe.route(layer, name + ".mlp.gate", moe.softmaxRouter(config.normalizeTopK()));
                moe.experts(name + ".mlp.experts", MixtureOfExperts.Names.PROJ);
                moe.addToResidual();
            } else {
                decoder.mlp(decoder.normed, name + ".mlp", config.intermediate(), decoder.block);
                decoder.addBlock();
            }
        });
    }
}
