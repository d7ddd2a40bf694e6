package org.espalier.config;

import java.util.List;
import java.util.Set;

/** Which layers of Qwen's models have experts: every {@code decoder_sparse_step}-th, except {@code mlp_only_layers}. */
public final class SparseLayers {
    private SparseLayers() {}

    public static List<Integer> read(ConfigReader config, Backbone backbone) {
        int step = config.size("decoder_sparse_step", 1);
        Set<Integer> dense = config.ids("mlp_only_layers", Set.of());
        return backbone.everyLayer().stream()
                .filter(layer -> !dense.contains(layer) && (layer + 1) % step == 0)
                .toList();
    }
}
