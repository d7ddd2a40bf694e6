package org.espalier.model;

import java.util.List;
import java.util.Set;

/**
 * {@code model_type: mixtral}, <a href="https://arxiv.org/abs/2401.04088">Mixtral of Experts</a>.
 *
 * @param experts in every layer; their weights are always normalized
 */
public record MixtralConfig(
        Backbone backbone, GroupedAttention attention, RoutedExperts experts, List<String> ignoredKeys)
        implements MoeConfig {

    static MixtralConfig read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(2));
        config.ignore("router_jitter_noise"); // in training only
        return new MixtralConfig(
                backbone,
                GroupedAttention.read(
                        config,
                        backbone,
                        new GroupedAttention.Defaults(0, 1_000_000, 1),
                        SlidingWindows.everywhere(config, backbone)),
                RoutedExperts.read(config, "num_local_experts", "intermediate_size", backbone.everyLayer()),
                config.ignoredKeys());
    }

    @Override
    public String architecture() {
        return "mixtral";
    }
}
