package org.espalier.architecture;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufConfig;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.checkpoint.GgufFile;
import org.espalier.checkpoint.GgufNames;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupLimit;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.program.Program;
import org.espalier.program.Router;
import org.espalier.slice.Member;

/**
 * {@code model_type: deepseek_v3}, <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3</a>; {@code kimi_k2}, <a
 * href="https://arxiv.org/abs/2507.20534">Kimi K2</a>, has the same keys and computes the same. The multi-token-prediction layer after the
 * last decoder layer is not part of the program.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>eq. 1 to 11, multi-head latent attention</td><td>{@link MultiHeadLatentAttention}</td></tr>
 *   <tr><td>eq. 12, shared and routed experts</td><td>{@link MixtureOfExperts#sharedExperts}</td></tr>
 *   <tr><td>eq. 13 to 16, sigmoid affinity, bias for the choice only</td><td>{@link MixtureOfExperts#sigmoidRouter}</td></tr>
 *   <tr><td>section 4.3, YaRN</td><td>{@link RopeFrequencies}</td></tr>
 * </table>
 *
 * @param intermediate width of the dense layers' MLP
 * @param firstDense {@code first_k_dense_replace}
 * @param sharedExperts {@code n_shared_experts}; one MLP of that many times the expert width
 * @param normalizeTopK whether the chosen weights are divided by their sum
 * @param nextTokenLayers {@code num_nextn_predict_layers}; recognized, but not loaded
 */
record DeepseekV3(
        Backbone backbone,
        LatentAttentionConfig attention,
        int intermediate,
        int firstDense,
        RoutedExperts experts,
        int sharedExperts,
        GroupLimit limit,
        boolean normalizeTopK,
        float routedScaling,
        int nextTokenLayers,
        List<String> ignoredKeys)
        implements Architecture {

    static DeepseekV3 read(ConfigReader config) {
        return read(config, LatentAttentionConfig.read(config));
    }

    /** Everything but attention, for models that differ in it. */
    static DeepseekV3 read(ConfigReader config, LatentAttentionConfig attention) {
        Backbone backbone = Backbone.read(config, Set.of(1));
        config.only("topk_method", "noaux_tc");
        config.only("scoring_func", "sigmoid");
        config.only("moe_layer_freq", 1);
        int firstDense = config.number("first_k_dense_replace", 0, backbone.layers());
        RoutedExperts experts = RoutedExperts.read(
                config, "n_routed_experts", "moe_intermediate_size", backbone.layersFrom(firstDense));
        int nextTokenLayers = config.count("num_mtp_layers", 1);
        return new DeepseekV3(
                backbone,
                attention,
                config.size("intermediate_size"),
                firstDense,
                experts,
                config.count("n_shared_experts"),
                GroupLimit.readForPairs(config, experts),
                config.flag("norm_topk_prob"),
                config.positive("routed_scaling_factor"),
                config.count("num_nextn_predict_layers", nextTokenLayers),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "deepseek_v3";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        MultiHeadLatentAttention mla = new MultiHeadLatentAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        Router router = moe.sigmoidRouter(limit, normalizeTopK, routedScaling);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            mla.query(name + ".self_attn");
            mla.latent(name + ".self_attn");
            mla.attend(name + ".self_attn");
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            if (layer < firstDense) {
                decoder.mlp(name + ".mlp", intermediate);
            } else {
                moe.routeWithCorrection(layer, name + ".mlp.gate", router);
                moe.experts(name + ".mlp.experts");
                moe.sharedExperts(name + ".mlp.shared_experts", sharedExperts);
            }
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.FLOATS).withCut(attention);
    }

    private static final int SIGMOID = 2; // gguf-py's ExpertGatingFuncType

    private static final String CORRECTION = "exp_probs_b.bias";

    /** {@code deepseek2} is {@link DeepseekV2} too, and GLM-4.7-Flash, which computes the same as this. */
    static final GgufDialect GGUF = GgufDialect.of("deepseek2", "deepseek_v3")
            .onlyWhere(DeepseekV3::scoresWithSigmoid)
            .tensors(GgufNames.dense()
                    .withLatentAttention()
                    .withExperts()
                    .withSharedExperts("shared_experts")
                    .withNextToken()
                    .with(Map.of(CORRECTION, "mlp.gate.e_score_correction_bias")))
            .metadata(DeepseekV3::fromGguf);

    /** Files of GLM-4.7-Flash may not say how they score; only what is scored with a sigmoid has a correction. */
    static boolean scoresWithSigmoid(GgufFile file) {
        double scoring = file.number("deepseek2.expert_gating_func", 0);
        return scoring == SIGMOID
                || scoring == 0 && file.tensors().keySet().stream().anyMatch(name -> name.endsWith(CORRECTION));
    }

    static void fromGguf(GgufConfig config) {
        config.only("expert_gating_func", SIGMOID);
        // Older converters left the groups out; the number of experts says which of the published models it is: V3 and
        // R1, or another.
        boolean v3 = config.whole("expert_count", 0) == 256;
        config.latentHeads()
                .deepseekExperts()
                .nextTokenLayers()
                .put("n_group", config.whole("expert_group_count", v3 ? 8 : 1))
                .put("topk_group", config.whole("expert_group_used_count", v3 ? 4 : 1))
                .put("topk_method", "noaux_tc")
                .put("norm_topk_prob", config.flagOrFalse("expert_weights_norm"));
    }
}
