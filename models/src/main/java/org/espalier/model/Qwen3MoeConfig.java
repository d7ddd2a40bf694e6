package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: qwen3_moe}, <a href="https://arxiv.org/abs/2505.09388">Qwen3</a>.
 *
 * @param attentionBias whether q, k, v and o have biases
 * @param intermediate width of the MLP in layers without experts
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
public record Qwen3MoeConfig(
        Backbone backbone,
        GroupedAttention attention,
        boolean attentionBias,
        int intermediate,
        RoutedExperts experts,
        boolean normalizeTopK,
        List<String> ignoredKeys)
        implements MoeConfig {

    static Qwen3MoeConfig read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        return new Qwen3MoeConfig(
                backbone,
                GroupedAttention.read(config, backbone, SlidingWindows.everywhereIfSwitchedOn(config, backbone)),
                config.flag("attention_bias", false),
                config.size("intermediate_size"),
                RoutedExperts.readQwen(config, SparseLayers.read(config, backbone)),
                config.flag("norm_topk_prob", false),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "qwen3_moe";
    }
}
