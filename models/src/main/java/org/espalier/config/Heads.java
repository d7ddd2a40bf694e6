package org.espalier.config;

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

    /** Columns of a head. */
    public static int width(ConfigReader config, String key, int fallback) {
        return config.has(key) ? config.number(key, 2, MAX_WIDTH) : fallback;
    }
}
