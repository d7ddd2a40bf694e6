package org.espalier.config;

import java.util.Set;
import java.util.TreeSet;

/**
 * Reads rotary positions in both spellings: {@code rope_theta} beside {@code rope_scaling} (transformers 4), or {@code
 * rope_parameters} with everything (5). Defaults are those of transformers 5.23.
 */
final class RopeReader {

    /** The GGUF reader's name for llama3's scaling as the file stores it. */
    private static final String GGUF_DIVISORS = "gguf_divisors";

    private static final String PARAMETERS = "rope_parameters";

    private static final String PARTIAL = "partial_rotary_factor";

    private RopeReader() {}

    /**
     * @param dimensions that rotate
     * @param defaultTheta the architecture's
     * @param served the rope types that the architecture computes
     */
    static Positions read(ConfigReader config, int dimensions, float defaultTheta, Set<String> served) {
        float theta = config.positive("rope_theta", defaultTheta);
        String key = key(config);
        if (!config.has(key)) {
            return new Positions(dimensions, theta, new RopeScaling.Default());
        }
        return read(config.object(key), config, dimensions, theta, served);
    }

    /** Of the layers of one type, in {@code rope_parameters}. */
    static Positions ofLayers(
            ConfigReader config, String layerType, int dimensions, float defaultTheta, Set<String> served) {
        if (!config.has(PARAMETERS)) {
            return new Positions(dimensions, defaultTheta, new RopeScaling.Default());
        }
        ConfigReader types = config.object(PARAMETERS);
        types.ignore("full_attention", "sliding_attention");
        boolean complete = types.has(layerType) && types.ignoredKeys().isEmpty();
        config.require(complete, PARAMETERS, "an object for full_attention and one for sliding_attention");
        return read(types.object(layerType), config, dimensions, defaultTheta, served);
    }

    private static Positions read(
            ConfigReader rope, ConfigReader config, int dimensions, float defaultTheta, Set<String> served) {
        rope.ignore("mrope_section", "mrope_interleaved"); // of text, all sections have the same positions
        float theta = rope.positive("rope_theta", defaultTheta);
        String type = type(rope);
        if (!served.contains(type.equals(GGUF_DIVISORS) ? "llama3" : type)) {
            throw rope.notSupported("rope_type", type, String.join(", ", new TreeSet<>(served)));
        }
        RopeScaling scaling = switch (type) {
            case "default" -> new RopeScaling.Default();
            case "linear" -> new RopeScaling.Linear(rope.positive("factor"));
            case "llama3" -> llama3(rope, config);
            case "yarn" -> yarn(rope, config);
            case "proportional" -> proportional(rope, dimensions);
            case GGUF_DIVISORS -> divisors(rope, dimensions);
            default -> throw rope.notSupported("rope_type", type, "default");
        };
        rope.ignore(PARTIAL);
        config.ignoredToo(rope);
        return new Positions(dimensions, theta, scaling);
    }

    /** The fraction of a head's columns that rotate, beside the rope object or in it. */
    static float partialFactor(ConfigReader config, float fallback) {
        float beside = config.positive(PARTIAL, fallback);
        String key = key(config);
        return config.has(key) ? config.object(key).positive(PARTIAL, beside) : beside;
    }

    /** Columns of a head {@code width} wide that rotate in the layers of one type. */
    static int rotatedInLayers(ConfigReader config, String layerType, int width, float fallback) {
        ConfigReader types = config.has(PARAMETERS) ? config.object(PARAMETERS) : null;
        float part =
                types != null && types.has(layerType) ? types.object(layerType).positive(PARTIAL, fallback) : fallback;
        int rotated = (int) (width * part);
        config.require(rotated % 2 == 0 && rotated > 0 && rotated <= width, PARTIAL, "whole pairs");
        return rotated;
    }

    private static RopeScaling proportional(ConfigReader rope, int dimensions) {
        float part = rope.positive(PARTIAL, 1);
        int pairs = (int) (part * dimensions / 2);
        rope.require(pairs > 0 && pairs <= dimensions / 2, PARTIAL, "some pairs of a head, at most all");
        return new RopeScaling.Proportional(pairs, rope.positive("factor", 1));
    }

    private static String key(ConfigReader config) {
        return config.has(PARAMETERS) ? PARAMETERS : "rope_scaling";
    }

    private static String type(ConfigReader rope) {
        String type = rope.text("type", null);
        String newer = rope.text("rope_type", type);
        if (newer != null) {
            return newer;
        }
        rope.require(!rope.has("factor"), "rope_type", "a rope type beside the factor");
        return "default";
    }

    private static RopeScaling llama3(ConfigReader rope, ConfigReader config) {
        float factor = rope.positive("factor");
        float low = rope.positive("low_freq_factor");
        float high = rope.positive("high_freq_factor");
        rope.require(high > low, "high_freq_factor", "more than low_freq_factor");
        return new RopeScaling.Llama3(factor, low, high, originalContext(rope, config));
    }

    private static RopeScaling yarn(ConfigReader rope, ConfigReader config) {
        rope.absent("attention_factor");
        int original = originalContext(rope, config);
        float factor = rope.positive("factor", (float) config.size("max_position_embeddings") / original);
        float fast = rope.real("beta_fast", 0);
        float slow = rope.real("beta_slow", 0);
        return new RopeScaling.Yarn(
                factor,
                original,
                fast == 0 ? 32 : fast, // the paper's
                slow == 0 ? 1 : slow,
                rope.real("mscale", 0),
                rope.real("mscale_all_dim", 0),
                rope.flagOrTrue("truncate"));
    }

    private static RopeScaling divisors(ConfigReader rope, int dimensions) {
        RopeScaling.Divided divided = new RopeScaling.Divided(rope.reals("divisors"));
        if (divided.divisors().size() != dimensions / 2) {
            throw new ConfigException("rope_freqs.weight has "
                    + divided.divisors().size() + " values, expected half of head_dim, " + dimensions / 2);
        }
        return divided;
    }

    /** The original context: beside the rope object, in it, or else the whole context. */
    private static int originalContext(ConfigReader rope, ConfigReader config) {
        String key = "original_max_position_embeddings";
        int inside = rope.size(key, config.size("max_position_embeddings"));
        return config.size(key, inside);
    }
}
