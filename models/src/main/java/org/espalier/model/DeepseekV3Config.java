package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: deepseek_v3}, <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3</a>; {@code kimi_k2}, <a
 * href="https://arxiv.org/abs/2507.20534">Kimi K2</a>, has the same keys and computes the same.
 *
 * @param intermediate width of the dense layers' MLP
 * @param firstDense {@code first_k_dense_replace}
 * @param sharedExperts {@code n_shared_experts}; one MLP of that many times the expert width
 * @param normalizeTopK whether the chosen weights are divided by their sum
 * @param nextTokenLayers {@code num_nextn_predict_layers}; listed, not loaded
 */
public record DeepseekV3Config(
        Backbone backbone,
        LatentAttention attention,
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

    static DeepseekV3Config read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(1));
        config.only("topk_method", "noaux_tc");
        config.only("scoring_func", "sigmoid");
        config.only("moe_layer_freq", 1);
        int firstDense = config.number("first_k_dense_replace", 0, backbone.layers());
        RoutedExperts experts = RoutedExperts.read(
                config, "n_routed_experts", "moe_intermediate_size", backbone.layersFrom(firstDense));
        int nextTokenLayers = config.count("num_mtp_layers", 1);
        return new DeepseekV3Config(
                backbone,
                LatentAttention.read(config),
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
    public String architecture() {
        return "deepseek_v3";
    }
}
