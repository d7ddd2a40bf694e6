package org.espalier.config;

import java.util.List;

/**
 * Gated DeltaNet, <a href="https://arxiv.org/abs/2412.06464">Yang et al. 2024</a>, and the layers that have it in place of attention.
 *
 * @param keyHeads heads of queries and keys
 * @param valueHeads Hv, heads of values, gates and states; a multiple of the key heads
 * @param keyWidth columns of a key head
 * @param valueWidth columns of a value head
 * @param order which value heads use a key head
 * @param kernel rows that the short convolution sees, the row itself among them
 * @param layers the checkpoint's indices of the layers that have it, ascending
 */
public record GatedDeltaConfig(
        int keyHeads, int valueHeads, int keyWidth, int valueWidth, Order order, int kernel, List<Integer> layers) {

    /** The GGUF reader's name for the order that converters bring value heads into. */
    private static final String GGUF_TILED = "gguf_tiled_value_heads";

    private static final String LINEAR = "linear_attention";
    private static final String FULL = "full_attention";
    private static final int FULL_EVERY = 4; // transformers' default of full_attention_interval
    private static final int MAX_KERNEL = 64;
    private static final int MAX_STATE = 1 << 28; // far above any model, and a Java array

    /** Of value heads. */
    public enum Order {
        /** Those of a key head follow each other. */
        GROUPED,
        /** One of each key head, then the next of each. */
        TILED
    }

    public GatedDeltaConfig {
        layers = List.copyOf(layers);
    }

    public static GatedDeltaConfig read(ConfigReader config, Backbone backbone) {
        int keyHeads = config.number("linear_num_key_heads", 1, Heads.MAX_HEADS);
        int valueHeads = config.number("linear_num_value_heads", 1, Heads.MAX_HEADS);
        config.require(
                valueHeads % keyHeads == 0,
                "linear_num_value_heads",
                "a multiple of linear_num_key_heads, " + keyHeads);
        int keyWidth = config.number("linear_key_head_dim", 1, Heads.MAX_WIDTH);
        int valueWidth = config.number("linear_value_head_dim", 1, Heads.MAX_WIDTH);
        config.require(
                (long) valueHeads * keyWidth * valueWidth <= MAX_STATE,
                "linear_value_head_dim",
                "a state of at most " + MAX_STATE + " values in all heads");
        return new GatedDeltaConfig(
                keyHeads,
                valueHeads,
                keyWidth,
                valueWidth,
                config.flagOrFalse(GGUF_TILED) ? Order.TILED : Order.GROUPED,
                config.number("linear_conv_kernel_dim", 2, MAX_KERNEL),
                layers(config, backbone));
    }

    /** Named one by one, or all but every {@code full_attention_interval}-th. */
    private static List<Integer> layers(ConfigReader config, Backbone backbone) {
        int interval = config.size("full_attention_interval", FULL_EVERY);
        boolean named = config.has("layer_types");
        List<String> types = named
                ? config.texts("layer_types", List.of(LINEAR, FULL))
                : backbone.everyLayer().stream()
                        .map(layer -> (layer + 1) % interval == 0 ? FULL : LINEAR)
                        .toList();
        String key = named ? "layer_types" : "full_attention_interval";
        config.require(types.size() == backbone.layers(), key, "one for each of " + backbone.layers() + " layers");
        config.require(types.contains(LINEAR), key, "some layers of linear attention");
        return backbone.everyLayer().stream()
                .filter(layer -> types.get(layer).equals(LINEAR))
                .toList();
    }

    /** Value heads that share a key head. */
    public int group() {
        return valueHeads / keyHeads;
    }
}
