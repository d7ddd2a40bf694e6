package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: qwen3}, <a href="https://arxiv.org/abs/2505.09388">Qwen3</a>: each head of q and k is normed.
 *
 * @param attentionBias whether q, k, v and o have biases
 */
public record Qwen3Config(
        Backbone backbone,
        GroupedAttention attention,
        boolean attentionBias,
        int intermediate,
        List<String> ignoredKeys)
        implements ModelConfig {

    private static final GroupedAttention.Defaults DEFAULTS = new GroupedAttention.Defaults(128, 10_000, 1);

    static Qwen3Config read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        int full = config.count("max_window_layers", 28);
        List<Integer> windows = SlidingWindows.someIfSwitchedOn(config, backbone, layer -> layer >= full);
        return new Qwen3Config(
                backbone,
                GroupedAttention.read(config, backbone, DEFAULTS, windows),
                config.flag("attention_bias", false),
                config.size("intermediate_size"),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "qwen3";
    }
}
