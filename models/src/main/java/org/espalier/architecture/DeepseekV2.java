package org.espalier.architecture;

import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.DeepseekV2Config;
import org.espalier.program.Program;
import org.espalier.program.Router;

/**
 * {@code model_type: deepseek_v2}, <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a> and V2-Lite.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2.1, multi-head latent attention</td><td>{@link MultiHeadLatentAttention}</td></tr>
 *   <tr><td>eq. 20, shared and routed experts</td><td>{@link MixtureOfExperts#addToResidualWithShared}</td></tr>
 *   <tr><td>eq. 21 and 22, softmax affinity; section 2.2.2, device-limited routing</td><td>{@link MixtureOfExperts#limitedSoftmaxRouter}</td></tr>
 *   <tr><td>section 3.1.4, YaRN</td><td>{@link RopeFrequencies}</td></tr>
 * </table>
 */
record DeepseekV2(DeepseekV2Config config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        MultiHeadLatentAttention attention = new MultiHeadLatentAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
        Router router = moe.limitedSoftmaxRouter(config.limit(), config.routedScaling());
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
                moe.route(layer, name + ".mlp.gate", router);
                moe.experts(name + ".mlp.experts", MixtureOfExperts.Names.PROJ);
                moe.addToResidualWithShared(name + ".mlp.shared_experts", config.sharedExperts());
            }
        });
    }
}
