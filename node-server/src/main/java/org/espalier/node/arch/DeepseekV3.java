package org.espalier.node.arch;

import org.espalier.checkpoint.Checkpoint;
import org.espalier.engine.program.Program;
import org.espalier.engine.program.Router;
import org.espalier.model.DeepseekV3Config;

/**
 * {@code model_type: deepseek_v3}, <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3</a>, and {@code kimi_k2}. The
 * multi-token-prediction layer after the last decoder layer is not part of the program.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>eq. 1 to 11, multi-head latent attention</td><td>{@link MultiHeadLatentAttention}</td></tr>
 *   <tr><td>eq. 12, shared and routed experts</td><td>{@link #experts}</td></tr>
 *   <tr><td>eq. 13 to 16, sigmoid affinity, bias for the choice only</td><td>{@link #router}</td></tr>
 *   <tr><td>section 4.3, YaRN</td><td>{@link RopeFrequencies}</td></tr>
 * </table>
 */
record DeepseekV3(DeepseekV3Config config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        MultiHeadLatentAttention attention = new MultiHeadLatentAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
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
                experts(decoder, moe, layer, name + ".mlp");
            }
        });
    }

    /** DeepSeekMoE: the shared experts, which are one wide MLP, and the K that the router chooses. */
    private void experts(Decoder decoder, MixtureOfExperts moe, int layer, String name) {
        moe.routeWithCorrection(layer, name + ".gate", router());
        moe.experts(name + ".experts", MixtureOfExperts.Names.PROJ);
        if (config.sharedExperts() > 0) {
            int width = config.sharedExperts() * config.experts().intermediate();
            decoder.mlp(decoder.normed, name + ".shared_experts", width, decoder.block);
            moe.addToBlock();
            decoder.addBlock();
        } else {
            moe.addToResidual();
        }
    }

    private Router router() {
        return new Router(
                config.experts().count(),
                config.experts().perToken(),
                Router.Scoring.SIGMOID,
                config.limit().groups(),
                config.limit().kept(),
                Router.GroupScore.TOP2_SUM,
                config.normalizeTopK(),
                config.routedScaling());
    }
}
