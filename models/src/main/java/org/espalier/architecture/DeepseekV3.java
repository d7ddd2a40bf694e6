package org.espalier.architecture;

import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.DeepseekV3Config;
import org.espalier.program.Program;
import org.espalier.program.Router;

/**
 * {@code model_type: deepseek_v3}, <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3</a>, and {@code kimi_k2}. The
 * multi-token-prediction layer after the last decoder layer is not part of the program.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>eq. 1 to 11, multi-head latent attention</td><td>{@link MultiHeadLatentAttention}</td></tr>
 *   <tr><td>eq. 12, shared and routed experts</td><td>{@link MixtureOfExperts#addToResidualWithShared}</td></tr>
 *   <tr><td>eq. 13 to 16, sigmoid affinity, bias for the choice only</td><td>{@link MixtureOfExperts#sigmoidRouter}</td></tr>
 *   <tr><td>section 4.3, YaRN</td><td>{@link RopeFrequencies}</td></tr>
 * </table>
 */
record DeepseekV3(DeepseekV3Config config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        MultiHeadLatentAttention attention = new MultiHeadLatentAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
        Router router = moe.sigmoidRouter(config.limit(), config.normalizeTopK(), config.routedScaling());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.query(name + ".self_attn");
            attention.latent(name + ".self_attn");
            attention.attend(name + ".self_attn");
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
