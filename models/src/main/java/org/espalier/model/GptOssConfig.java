package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: gpt_oss}, <a href="https://arxiv.org/abs/2508.10925">gpt-oss</a>: every other layer sees a window, each head has a
 * sink, everything has biases.
 *
 * @param swigluAlpha steepness of the gate's sigmoid
 * @param swigluLimit where gate and up are cut
 */
public record GptOssConfig(
        Backbone backbone,
        GroupedAttention attention,
        boolean attentionBias,
        RoutedExperts experts,
        float swigluAlpha,
        float swigluLimit,
        List<String> ignoredKeys)
        implements MoeConfig {

    private static final GroupedAttention.Defaults DEFAULTS = new GroupedAttention.Defaults(64, 150_000, 1);
    private static final int WINDOW = 128; // as published, and transformers' default

    static GptOssConfig read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        config.ignore("experts_per_token", "initial_context_length"); // num_experts_per_tok and the rope object say it
        config.require(
                config.has("rope_scaling") || config.has("rope_parameters"), "rope_scaling", "YaRN, as published");
        List<Integer> windows = SlidingWindows.some(config, backbone, layer -> layer % 2 == 0, WINDOW);
        return new GptOssConfig(
                backbone,
                GroupedAttention.read(config, backbone, DEFAULTS, windows),
                config.flag("attention_bias", true),
                RoutedExperts.read(config, "num_local_experts", "intermediate_size", backbone.everyLayer()),
                config.positive("swiglu_alpha", 1.702f),
                config.positive("swiglu_limit", 7),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "gpt_oss";
    }
}
