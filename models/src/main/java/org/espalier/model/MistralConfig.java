package org.espalier.model;

import java.util.List;
import java.util.Set;

/** {@code model_type: mistral}, <a href="https://arxiv.org/abs/2310.06825">Mistral 7B</a>. */
public record MistralConfig(Backbone backbone, GroupedAttention attention, int intermediate, List<String> ignoredKeys)
        implements ModelConfig {

    private static final int WINDOW = 4096; // transformers' default; null means none

    static MistralConfig read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(2));
        config.absent("layer_types");
        List<Integer> windows = config.mentions("sliding_window")
                ? SlidingWindows.everywhere(config, backbone)
                : SlidingWindows.some(config, backbone, layer -> true, WINDOW);
        return new MistralConfig(
                backbone,
                GroupedAttention.read(config, backbone, windows),
                config.size("intermediate_size"),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "mistral";
    }
}
