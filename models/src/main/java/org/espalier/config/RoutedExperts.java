package org.espalier.config;

import java.util.List;

/**
 * The routed experts of a model.
 *
 * @param count E
 * @param perToken K
 * @param intermediate width of one expert
 * @param layers the checkpoint's indices of the layers with routed experts, ascending
 */
public record RoutedExperts(int count, int perToken, int intermediate, List<Integer> layers) {

    /** For a dense model. */
    public static final RoutedExperts NONE = new RoutedExperts(0, 0, 0, List.of());

    public RoutedExperts {
        layers = List.copyOf(layers);
    }

    /** Qwen's models, which transformers 5 saves with {@code num_local_experts} where they were published with {@code num_experts}. */
    public static RoutedExperts readQwen(ConfigReader config, List<Integer> layers) {
        String newer = "num_local_experts";
        return read(config, config.has(newer) ? newer : "num_experts", "moe_intermediate_size", layers);
    }

    public static RoutedExperts read(
            ConfigReader config, String countKey, String intermediateKey, List<Integer> layers) {
        return read(config, countKey, "num_experts_per_tok", intermediateKey, layers);
    }

    public static RoutedExperts read(
            ConfigReader config, String countKey, String perTokenKey, String intermediateKey, List<Integer> layers) {
        int count = config.number(countKey, 1, Short.MAX_VALUE); // ids travel in 16 bits
        int perToken = config.size(perTokenKey);
        config.require(perToken <= count, perTokenKey, "at most " + countKey + ", " + count);
        return new RoutedExperts(count, perToken, config.size(intermediateKey), layers);
    }
}
