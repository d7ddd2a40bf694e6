package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufConfig;
import org.espalier.checkpoint.GgufDialect;
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
 * {@code model_type: deepseek_v2}, <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a> and V2-Lite.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2.1, multi-head latent attention</td><td>{@link MultiHeadLatentAttention}</td></tr>
 *   <tr><td>eq. 20, shared and routed experts</td><td>{@link MixtureOfExperts#sharedExperts}</td></tr>
 *   <tr><td>eq. 21 and 22, softmax affinity; section 2.2.2, device-limited routing</td><td>{@link MixtureOfExperts#limitedSoftmaxRouter}</td></tr>
 *   <tr><td>section 3.1.4, YaRN</td><td>{@link RopeFrequencies}</td></tr>
 * </table>
 *
 * @param intermediate width of the dense layers' MLP
 * @param firstDense {@code first_k_dense_replace}
 * @param sharedExperts {@code n_shared_experts}; one MLP of that many times the expert width
 * @param limit {@code group_limited_greedy}; one group where {@code greedy}
 */
record DeepseekV2(
        Backbone backbone,
        LatentAttentionConfig attention,
        int intermediate,
        int firstDense,
        RoutedExperts experts,
        int sharedExperts,
        GroupLimit limit,
        float routedScaling,
        List<String> ignoredKeys)
        implements Architecture {

    static DeepseekV2 read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(2));
        config.only("scoring_func", "softmax");
        config.only("moe_layer_freq", 1);
        config.absent("norm_topk_prob"); // transformers and the published code differ on it, and no model has it
        config.absent("mlp_bias");
        int firstDense = config.number("first_k_dense_replace", 0, backbone.layers());
        RoutedExperts experts = RoutedExperts.read(
                config, "n_routed_experts", "moe_intermediate_size", backbone.layersFrom(firstDense));
        return new DeepseekV2(
                backbone,
                LatentAttentionConfig.read(config),
                config.size("intermediate_size"),
                firstDense,
                experts,
                config.count("n_shared_experts"),
                limit(config, experts),
                config.positive("routed_scaling_factor"),
                config.ignoredKeys());
    }

    private static GroupLimit limit(ConfigReader config, RoutedExperts experts) {
        String method = config.text("topk_method", "greedy");
        return switch (method) {
            case "greedy" -> {
                config.ignore("n_group", "topk_group");
                yield GroupLimit.NONE;
            }
            case "group_limited_greedy" -> GroupLimit.read(config, experts);
            default -> throw config.notSupported("topk_method", method, "greedy, group_limited_greedy");
        };
    }

    @Override
    public String modelType() {
        return "deepseek_v2";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        MultiHeadLatentAttention mla = new MultiHeadLatentAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        Router router = moe.limitedSoftmaxRouter(limit, routedScaling);
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
                moe.route(layer, name + ".mlp.gate", router);
                moe.experts(name + ".mlp.experts");
                moe.sharedExperts(name + ".mlp.shared_experts", sharedExperts);
            }
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.FLOATS);
    }

    private static final int SOFTMAX = 1; // gguf-py's ExpertGatingFuncType; absent in old files

    /** {@code deepseek2} is {@link DeepseekV3} too, which scores with a sigmoid. */
    static final GgufDialect GGUF = GgufDialect.of("deepseek2", "deepseek_v2")
            .onlyWhere(file -> !DeepseekV3.scoresWithSigmoid(file))
            .tensors(GgufNames.dense().withLatentAttention().withExperts().withSharedExperts("shared_experts"))
            .metadata(DeepseekV2::fromGguf);

    private static void fromGguf(GgufConfig config) {
        if (config.whole("expert_gating_func", SOFTMAX) != SOFTMAX) {
            config.refuse("expert_gating_func", "1 or 2");
        }
        if (config.flagOrFalse("expert_weights_norm")) {
            config.refuse("expert_weights_norm", false);
        }
        // Older converters left the groups out; the number of experts says which of the published models it is: V2 and
        // V2.5, or V2-Lite.
        boolean large = config.whole("expert_count", 0) == 160;
        long groups = config.whole("expert_group_count", large ? 8 : 1);
        config.latentHeads()
                .deepseekExperts()
                .put("n_group", groups)
                .put("topk_group", config.whole("expert_group_used_count", large ? 3 : 1))
                .put("topk_method", groups > 1 ? "group_limited_greedy" : "greedy");
    }
}
