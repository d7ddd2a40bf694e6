package org.espalier.config;

import java.util.Collections;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Reads which layers see only the last {@code sliding_window} positions. A window as wide as the context limits nothing. */
public final class SlidingWindows {
    private static final String KEY = "sliding_window";

    private SlidingWindows() {}

    /** {@code sliding_window} for all layers; no window where it is null or absent. */
    public static List<Integer> everywhere(ConfigReader config, Backbone backbone) {
        int window = window(config, backbone, 0);
        return Collections.nCopies(backbone.layers(), window);
    }

    /** The same behind the switch {@code use_sliding_window}, as Qwen's configs have it. */
    public static List<Integer> everywhereIfSwitchedOn(ConfigReader config, Backbone backbone) {
        return switchedOn(config) ? everywhere(config, backbone) : GroupedAttentionConfig.fullAttention(backbone);
    }

    /**
     * Windows behind the switch {@code use_sliding_window}, in the layers that {@code layer_types} names.
     *
     * @param sliding the layers, where {@code layer_types} is absent
     */
    public static List<Integer> someIfSwitchedOn(ConfigReader config, Backbone backbone, IntPredicate sliding) {
        if (switchedOn(config)) {
            return some(config, backbone, sliding, 0);
        }
        config.ignore("layer_types");
        return GroupedAttentionConfig.fullAttention(backbone);
    }

    /**
     * Windows in the layers that {@code layer_types} names or, if it is absent, those that {@code sliding} selects.
     *
     * @param fallback the window where the config has none; 0 for no window then
     */
    public static List<Integer> some(ConfigReader config, Backbone backbone, IntPredicate sliding, int fallback) {
        return windows(config, backbone, layers(config, backbone, sliding), fallback);
    }

    /** The layers that {@code layer_types} names or, if it is absent, those that {@code sliding} selects, ascending. */
    public static List<Integer> layers(ConfigReader config, Backbone backbone, IntPredicate sliding) {
        IntPredicate named = sliding;
        if (config.has("layer_types")) {
            List<String> types = config.texts("layer_types", List.of("full_attention", "sliding_attention"));
            config.require(
                    types.size() == backbone.layers(),
                    "layer_types",
                    "one for each of " + backbone.layers() + " layers");
            named = layer -> types.get(layer).equals("sliding_attention");
        }
        return IntStream.range(0, backbone.layers()).filter(named).boxed().toList();
    }

    /** The same, with {@code hybrid_layer_pattern}, which marks them by 1, in place of {@code layer_types}. */
    public static List<Integer> layersOrMarked(ConfigReader config, Backbone backbone, IntPredicate sliding) {
        boolean marked = config.has("hybrid_layer_pattern") && !config.has("layer_types");
        return marked ? config.marked("hybrid_layer_pattern", backbone.layers()) : layers(config, backbone, sliding);
    }

    /** {@code sliding_window} in these layers. */
    public static List<Integer> windows(ConfigReader config, Backbone backbone, List<Integer> sliding, int fallback) {
        return of(backbone, sliding, window(config, backbone, fallback));
    }

    /** A window in these layers. */
    public static List<Integer> of(Backbone backbone, List<Integer> sliding, int window) {
        int limiting = window >= backbone.context() ? 0 : window;
        return IntStream.range(0, backbone.layers())
                .mapToObj(layer -> sliding.contains(layer) ? limiting : 0)
                .toList();
    }

    private static boolean switchedOn(ConfigReader config) {
        config.ignore(KEY, "max_window_layers");
        return config.flagOrFalse("use_sliding_window");
    }

    /** The window; 0 if the key is null or 0. */
    private static int window(ConfigReader config, Backbone backbone, int fallback) {
        int window = config.has(KEY) ? config.count(KEY) : fallback;
        return window >= backbone.context() ? 0 : window;
    }
}
