package org.espalier.config;

import java.util.List;
import java.util.Set;

/** Which layers have experts. */
public final class SparseLayers {
    private SparseLayers() {}

    /** MiMo's: those that {@code mlp_layer_types} calls sparse, that {@code moe_layer_freq} marks, or else all but the first. */
    public static List<Integer> namedOrMarked(ConfigReader config, Backbone backbone) {
        boolean marked = config.has("moe_layer_freq") && !config.has("mlp_layer_types");
        return marked ? config.marked("moe_layer_freq", backbone.layers()) : named(config, backbone);
    }

    /** GLM's: those that {@code mlp_layer_types} calls sparse, or else all but the first. */
    public static List<Integer> named(ConfigReader config, Backbone backbone) {
        String key = "mlp_layer_types";
        if (!config.has(key)) {
            return backbone.layersFrom(1);
        }
        List<String> types = config.texts(key, List.of("dense", "sparse"));
        config.require(types.size() == backbone.layers(), key, "one for each of " + backbone.layers() + " layers");
        return backbone.everyLayer().stream()
                .filter(layer -> types.get(layer).equals("sparse"))
                .toList();
    }

    /** That {@code mlp_layer_types}, where transformers wrote it, says what {@code first_k_dense_replace} says. */
    public static void requireFrom(int firstDense, ConfigReader config, Backbone backbone) {
        boolean same =
                !config.has("mlp_layer_types") || named(config, backbone).equals(backbone.layersFrom(firstDense));
        config.require(
                same, "mlp_layer_types", "dense in the first " + firstDense + " layers and sparse in the others");
    }

    /** Qwen's: every {@code decoder_sparse_step}-th, except {@code mlp_only_layers}. */
    public static List<Integer> read(ConfigReader config, Backbone backbone) {
        int step = config.size("decoder_sparse_step", 1);
        Set<Integer> dense = config.ids("mlp_only_layers", Set.of());
        return backbone.everyLayer().stream()
                .filter(layer -> !dense.contains(layer) && (layer + 1) % step == 0)
                .toList();
    }
}
