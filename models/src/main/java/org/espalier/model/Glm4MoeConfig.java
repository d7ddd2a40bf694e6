package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: glm4_moe}, <a href="https://arxiv.org/abs/2508.06471">GLM-4.5</a>: half of each head turns, experts are chosen as in
 * DeepSeek-V3.
 *
 * @param attentionBias whether q, k and v have biases
 * @param headNorm whether each head of q and k is normed
 * @param intermediate width of the dense layers' MLP
 * @param firstDense {@code first_k_dense_replace}
 * @param sharedExperts {@code n_shared_experts}; one MLP of that many times the expert width
 * @param normalizeTopK whether the chosen weights are divided by their sum
 * @param nextTokenLayers {@code num_nextn_predict_layers}; listed, not loaded
 */
public record Glm4MoeConfig(
        Backbone backbone,
        GroupedAttention attention,
        boolean attentionBias,
        boolean headNorm,
        int intermediate,
        int firstDense,
        RoutedExperts experts,
        int sharedExperts,
        GroupLimit limit,
        boolean normalizeTopK,
        float routedScaling,
        int nextTokenLayers,
        List<String> ignoredKeys)
        implements MoeConfig {

    private static final GroupedAttention.Defaults DEFAULTS = new GroupedAttention.Defaults(0, 10_000, 0.5f);

    static Glm4MoeConfig read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        config.absent("sliding_window");
        int firstDense = config.number("first_k_dense_replace", 0, backbone.layers());
        RoutedExperts experts = RoutedExperts.read(
                config, "n_routed_experts", "moe_intermediate_size", backbone.layersFrom(firstDense));
        int nextTokenLayers = config.count("num_mtp_layers", 1);
        return new Glm4MoeConfig(
                backbone,
                GroupedAttention.read(config, backbone, DEFAULTS, GroupedAttention.fullAttention(backbone)),
                config.flag("attention_bias", false),
                config.flag("use_qk_norm", false),
                config.size("intermediate_size"),
                firstDense,
                experts,
                config.count("n_shared_experts"),
                GroupLimit.readForPairs(config, experts),
                config.flag("norm_topk_prob", true),
                config.positive("routed_scaling_factor"),
                config.count("num_nextn_predict_layers", nextTokenLayers),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "glm4_moe";
    }
}
