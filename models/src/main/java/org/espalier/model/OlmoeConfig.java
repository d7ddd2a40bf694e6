package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: olmoe}, <a href="https://arxiv.org/abs/2409.02060">OLMoE</a>: q and k are normed over all heads together.
 *
 * @param attentionBias whether q, k, v and o have biases
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
public record OlmoeConfig(
        Backbone backbone,
        GroupedAttention attention,
        boolean attentionBias,
        RoutedExperts experts,
        boolean normalizeTopK,
        List<String> ignoredKeys)
        implements MoeConfig {

    static OlmoeConfig read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(50_279));
        config.absent("clip_qkv");
        config.absent("sliding_window");
        return new OlmoeConfig(
                backbone,
                GroupedAttention.read(config, backbone),
                config.flag("attention_bias", false),
                RoutedExperts.read(config, "num_experts", "intermediate_size", backbone.everyLayer()),
                config.flag("norm_topk_prob", false),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "olmoe";
    }
}
