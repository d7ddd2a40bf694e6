package org.espalier.model;

import java.util.List;
import java.util.Set;

/** {@code model_type: qwen2}, <a href="https://arxiv.org/abs/2407.10671">Qwen2</a> and 2.5: q, k and v have biases. */
public record Qwen2Config(Backbone backbone, GroupedAttention attention, int intermediate, List<String> ignoredKeys)
        implements ModelConfig {

    static Qwen2Config read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        int full = config.count("max_window_layers", 28);
        List<Integer> windows = SlidingWindows.someIfSwitchedOn(config, backbone, layer -> layer >= full);
        return new Qwen2Config(
                backbone,
                GroupedAttention.read(config, backbone, windows),
                config.size("intermediate_size"),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "qwen2";
    }
}
