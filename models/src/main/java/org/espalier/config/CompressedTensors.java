package org.espalier.config;

/**
 * The schemes of <a href="https://github.com/vllm-project/compressed-tensors">compressed-tensors</a> whose weights are read: symmetric whole
 * numbers of 4 bits with a scale for each group of a row, and activations as they are. Kimi K2.5's experts are published so.
 */
final class CompressedTensors {

    /** What {@code quant_method} says. */
    static final String METHOD = "compressed-tensors";

    private CompressedTensors() {}

    /** @throws ConfigException naming the key that asks for another scheme */
    static void require(ConfigReader quantization) {
        quantization.only("format", "pack-quantized");
        quantization.absent("kv_cache_scheme");
        quantization.empty("transform_config");
        quantization.empty("sparsity_config");
        for (ConfigReader group : quantization.objects("config_groups")) {
            group.only("format", "pack-quantized");
            group.absent("input_activations");
            group.absent("output_activations");
            ConfigReader weights = group.object("weights");
            weights.only("type", "int");
            weights.only("strategy", "group");
            weights.onlyTrue("symmetric");
            weights.absent("actorder");
            weights.absent("dynamic");
            weights.size("group_size");
            if (weights.size("num_bits") != 4) {
                throw weights.notSupported("num_bits", weights.size("num_bits"), 4);
            }
        }
    }
}
