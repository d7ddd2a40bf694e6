package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.Qwen2MoeConfig;
import org.espalier.program.Program;
import org.espalier.program.SigmoidScale;
import org.espalier.program.View;

/**
 * {@code model_type: qwen2_moe}, <a href="https://arxiv.org/abs/2407.10671">Qwen2</a> section 2.2.2: {@link Qwen2} with experts and a shared
 * one of which each token takes a part, sigmoid(g x).
 */
record Qwen2Moe(Qwen2MoeConfig config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
        View sharedPart = decoder.program.slot(1);
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", Bias.of(config.qkvBias()));
            attention.rotate();
            attention.attend(layer);
            attention.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            if (config.experts().layers().contains(layer)) {
                experts(decoder, moe, sharedPart, layer, name + ".mlp");
            } else {
                decoder.mlp(decoder.normed, name + ".mlp", config.intermediate(), decoder.block);
            }
            decoder.addBlock();
        });
    }

    private void experts(Decoder decoder, MixtureOfExperts moe, View sharedPart, int layer, String name) {
        moe.route(layer, name + ".gate", moe.softmaxRouter(config.normalizeTopK()));
        moe.experts(name + ".experts", MixtureOfExperts.Names.PROJ);
        decoder.mlp(decoder.normed, name + ".shared_expert", config.sharedIntermediate(), decoder.block);
        decoder.linear(decoder.normed, name + ".shared_expert_gate", sharedPart);
        decoder.program.op(new SigmoidScale(sharedPart, decoder.block));
        moe.addToBlock();
    }
}
