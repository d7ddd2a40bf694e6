package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: qwen2_moe}, <a href="https://arxiv.org/abs/2407.10671">Qwen2</a> section 2.2.2.
 *
 * @param qkvBias whether q, k and v have biases
 * @param intermediate width of the MLP in layers without experts
 * @param sharedIntermediate width of the shared expert
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
public record Qwen2MoeConfig(
        Backbone backbone,
        GroupedAttention attention,
        boolean qkvBias,
        int intermediate,
        RoutedExperts experts,
        int sharedIntermediate,
        boolean normalizeTopK,
        List<String> ignoredKeys)
        implements MoeConfig {

    static Qwen2MoeConfig read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        int sliding = config.count("max_window_layers", 28);
        // transformers' own rule: every other of the first layers
        List<Integer> windows =
                SlidingWindows.someIfSwitchedOn(config, backbone, layer -> layer % 2 == 0 && layer < sliding);
        return new Qwen2MoeConfig(
                backbone,
                GroupedAttention.read(config, backbone, windows),
                config.flag("qkv_bias", true),
                config.size("intermediate_size"),
                RoutedExperts.readQwen(config, SparseLayers.read(config, backbone)),
                config.size("shared_expert_intermediate_size"),
                config.flag("norm_topk_prob", false),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "qwen2_moe";
    }
}
