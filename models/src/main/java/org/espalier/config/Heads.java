package org.espalier.config;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Query heads and the key and value heads that they share.
 *
 * @param query H
 * @param kv a divisor of H
 * @param width columns of a query and of a key head
 * @param valueWidth columns of a value head
 */
public record Heads(int query, int kv, int width, int valueWidth) {

    static final int MAX_HEADS = 4096;
    static final int MAX_WIDTH = 8192;

    /** Values as wide as keys. */
    public static Heads read(ConfigReader config, String kvKey, String widthKey, int defaultWidth) {
        int width = width(config, widthKey, defaultWidth);
        return read(config, kvKey, width, width);
    }

    /** With widths that were read. */
    public static Heads read(ConfigReader config, String kvKey, int width, int valueWidth) {
        return of(config, kvKey, config.number(kvKey, 1, MAX_HEADS), width, valueWidth);
    }

    /** @param kvKey where {@code kv} is from, for errors */
    public static Heads of(ConfigReader config, String kvKey, int kv, int width, int valueWidth) {
        int query = config.number("num_attention_heads", 1, MAX_HEADS);
        config.require(query % kv == 0, kvKey, "a divisor of num_attention_heads, " + query);
        config.require(width % 2 == 0, "head_dim", "an even number, since rope rotates pairs");
        return new Heads(query, kv, width, valueWidth);
    }

    /**
     * Those of some layers, as transformers 5 saves them: {@code per_layer_config} has an object for each of these layers, all alike, and for no
     * others. Empty where the config has none.
     */
    public static Optional<Heads> ofLayers(ConfigReader config, List<Integer> layers) {
        String key = "per_layer_config";
        if (!config.has(key)) {
            return Optional.empty();
        }
        ConfigReader byLayer = config.object(key);
        Set<Heads> found = new HashSet<>();
        for (int layer : layers) {
            ConfigReader one = byLayer.object(String.valueOf(layer));
            int width = (one.has("head_dim") ? one : config).number("head_dim", 2, MAX_WIDTH);
            int kv = (one.has("num_key_value_heads") ? one : config).number("num_key_value_heads", 1, MAX_HEADS);
            found.add(of(config, key, kv, width, width));
            config.require(one.ignoredKeys().isEmpty(), key, "head_dim and num_key_value_heads alone");
        }
        boolean alike = found.size() == 1 && byLayer.ignoredKeys().isEmpty();
        config.require(alike, key, "the same for each of the layers " + layers + ", and no others");
        return found.stream().findFirst();
    }

    /** Columns of a head. */
    public static int width(ConfigReader config, String key, int fallback) {
        return config.has(key) ? config.number(key, 2, MAX_WIDTH) : fallback;
    }
}
