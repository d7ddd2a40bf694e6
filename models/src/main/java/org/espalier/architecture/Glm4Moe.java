package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.Glm4MoeConfig;
import org.espalier.program.Program;
import org.espalier.program.Router;

/**
 * {@code model_type: glm4_moe}, <a href="https://arxiv.org/abs/2508.06471">GLM-4.5</a> section 2.1: grouped-query attention of which half of
 * each head turns, with the experts and the router of {@link DeepseekV3}. The multi-token-prediction layer is not part of the program.
 */
record Glm4Moe(Glm4MoeConfig config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
        Router router = moe.sigmoidRouter(config.limit(), config.normalizeTopK(), config.routedScaling());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", Bias.of(config.attentionBias()));
            if (config.headNorm()) {
                attention.normHeads(name + ".self_attn");
            }
            attention.rotate();
            attention.attend(layer);
            attention.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            if (layer < config.firstDense()) {
                decoder.mlp(decoder.normed, name + ".mlp", config.intermediate(), decoder.block);
                decoder.addBlock();
            } else {
                moe.routeWithCorrection(layer, name + ".mlp.gate", router);
                moe.experts(name + ".mlp.experts", MixtureOfExperts.Names.PROJ);
                moe.addToResidualWithShared(name + ".mlp.shared_experts", config.sharedExperts());
            }
        });
    }
}
