package org.espalier.model;

import java.util.List;
import java.util.Optional;

/**
 * The experts of a model.
 *
 * @param count E
 * @param perToken K
 * @param intermediate width of one expert
 * @param layers the checkpoint's indices of the layers with routed experts, ascending
 */
public record RoutedExperts(int count, int perToken, int intermediate, List<Integer> layers) {

    public RoutedExperts {
        layers = List.copyOf(layers);
    }

    static RoutedExperts read(ConfigReader config, String countKey, String intermediateKey, List<Integer> layers) {
        int count = config.number(countKey, 1, Short.MAX_VALUE); // ids travel in 16 bits
        int perToken = config.size("num_experts_per_tok");
        config.require(perToken <= count, "num_experts_per_tok", "at most " + countKey + ", " + count);
        return new RoutedExperts(count, perToken, config.size(intermediateKey), layers);
    }

    Optional<ModelConfig.Moe> moe() {
        return layers.isEmpty() ? Optional.empty() : Optional.of(new ModelConfig.Moe(count, perToken, layers));
    }
}
