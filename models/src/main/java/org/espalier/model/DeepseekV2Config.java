package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: deepseek_v2}, <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a> and V2-Lite.
 *
 * @param intermediate width of the dense layers' MLP
 * @param firstDense {@code first_k_dense_replace}
 * @param sharedExperts {@code n_shared_experts}; one MLP of that many times the expert width
 * @param limit {@code group_limited_greedy}; one group where {@code greedy}
 */
public record DeepseekV2Config(
        Backbone backbone,
        LatentAttention attention,
        int intermediate,
        int firstDense,
        RoutedExperts experts,
        int sharedExperts,
        GroupLimit limit,
        float routedScaling,
        List<String> ignoredKeys)
        implements MoeConfig {

    static DeepseekV2Config read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(2));
        config.only("scoring_func", "softmax");
        config.only("moe_layer_freq", 1);
        config.absent("norm_topk_prob"); // transformers and the published code differ on it, and no model has it
        config.absent("mlp_bias");
        int firstDense = config.number("first_k_dense_replace", 0, backbone.layers());
        RoutedExperts experts = RoutedExperts.read(
                config, "n_routed_experts", "moe_intermediate_size", backbone.layersFrom(firstDense));
        return new DeepseekV2Config(
                backbone,
                LatentAttention.read(config),
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
            default -> throw config.notComputed("topk_method", method, "greedy, group_limited_greedy");
        };
    }

    @Override
    public String architecture() {
        return "deepseek_v2";
    }
}
