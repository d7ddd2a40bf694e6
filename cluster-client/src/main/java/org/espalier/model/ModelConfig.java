package org.espalier.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A checkpoint's config.json, read strictly: a missing required key or a value that changes the computation in a way that is not
 * computed here fails by name. One record for each architecture, named after Hugging Face's {@code model_type}.
 */
public sealed interface ModelConfig permits LlamaConfig, DeepseekV3Config {

    /** What {@link #of} reads. */
    List<String> ARCHITECTURES = List.of("deepseek_v3", "llama");

    int MAX_LAYERS = 4096;
    int MAX_HEADS = 4096;
    int MAX_HEAD_WIDTH = 8192;

    /**
     * Reads config.json.
     *
     * @throws ConfigException naming the key, and the value where there is one
     */
    static ModelConfig of(ObjectNode json) {
        ConfigReader config = new ConfigReader(json);
        config.refuseForeignQuantization();
        String type = config.text("model_type", null);
        if (type == null) {
            throw new ConfigException("the required key model_type is missing");
        }
        return switch (type) {
            case "llama" -> LlamaConfig.read(config);
            case "deepseek_v3" -> DeepseekV3Config.read(config);
            default ->
                throw new ConfigException(
                        "model_type " + type + " is not served; served are: " + String.join(", ", ARCHITECTURES));
        };
    }

    /** {@code model_type}. */
    String architecture();

    /** L, decoder layers; multi-token-prediction layers not counted. */
    int layers();

    /** D. */
    int hidden();

    /** V. */
    int vocabulary();

    /** The greatest number of positions, prompt and answer together. */
    int context();

    /** Ids that end an answer; {@code eos_token_id}, one or several. */
    Set<Integer> endOfSequence();

    boolean tiedEmbeddings();

    /** Floats of KV state that one token keeps in one layer. */
    int cacheWidth();

    /** What is routed; empty for a dense model. */
    Optional<Moe> moe();

    /** Keys that were neither read nor known to be harmless, for {@code inspect}. */
    List<String> ignoredKeys();

    /**
     * @param experts E
     * @param perToken K
     * @param layers the checkpoint's indices of the layers with routed experts, ascending
     */
    record Moe(int experts, int perToken, List<Integer> layers) {}
}
