package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: llama}, <a href="https://arxiv.org/abs/2407.21783">Llama 3</a>.
 *
 * @param attentionBias whether q, k, v and o have biases
 * @param mlpBias whether gate, up and down have biases
 */
public record LlamaConfig(
        Backbone backbone,
        GroupedAttention attention,
        boolean attentionBias,
        int intermediate,
        boolean mlpBias,
        List<String> ignoredKeys)
        implements ModelConfig {

    static LlamaConfig read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(2));
        config.absent("sliding_window");
        config.absent("use_sliding_window");
        config.absent("layer_types");
        return new LlamaConfig(
                backbone,
                GroupedAttention.read(config, backbone),
                config.flag("attention_bias", false),
                config.size("intermediate_size"),
                config.flag("mlp_bias", false),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "llama";
    }
}
