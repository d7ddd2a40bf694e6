package org.espalier.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A checkpoint's config.json, read strictly: a missing required key or a value that changes the computation in a way that is not
 * computed here fails by name. One record for each architecture, named after Hugging Face's {@code model_type}.
 */
public sealed interface ModelConfig permits LlamaConfig, MistralConfig, MoeConfig, Qwen2Config, Qwen3Config {

    /** What {@link #of} reads. */
    List<String> ARCHITECTURES = List.of(
            "deepseek_v2",
            "deepseek_v3",
            "glm4_moe",
            "gpt_oss",
            "kimi_k2",
            "llama",
            "mistral",
            "mixtral",
            "olmoe",
            "qwen2",
            "qwen2_moe",
            "qwen3",
            "qwen3_moe");

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
            case "deepseek_v2" -> DeepseekV2Config.read(config);
            case "deepseek_v3", "kimi_k2" -> DeepseekV3Config.read(config);
            case "glm4_moe" -> Glm4MoeConfig.read(config);
            case "gpt_oss" -> GptOssConfig.read(config);
            case "llama" -> LlamaConfig.read(config);
            case "mistral" -> MistralConfig.read(config);
            case "mixtral" -> MixtralConfig.read(config);
            case "olmoe" -> OlmoeConfig.read(config);
            case "qwen2" -> Qwen2Config.read(config);
            case "qwen2_moe" -> Qwen2MoeConfig.read(config);
            case "qwen3" -> Qwen3Config.read(config);
            case "qwen3_moe" -> Qwen3MoeConfig.read(config);
            default ->
                throw new ConfigException(
                        "model_type " + type + " is not served; served are: " + String.join(", ", ARCHITECTURES));
        };
    }

    /** {@code model_type}. */
    String architecture();

    /** What every architecture has. */
    Backbone backbone();

    /** L, decoder layers; multi-token-prediction layers not counted. */
    default int layers() {
        return backbone().layers();
    }

    /** D. */
    default int hidden() {
        return backbone().hidden();
    }

    /** V. */
    default int vocabulary() {
        return backbone().vocabulary();
    }

    /** The greatest number of positions, prompt and answer together. */
    default int context() {
        return backbone().context();
    }

    /** Ids that end an answer; {@code eos_token_id}, one or several. */
    default Set<Integer> endOfSequence() {
        return backbone().endOfSequence();
    }

    default boolean tiedEmbeddings() {
        return backbone().tiedEmbeddings();
    }

    /** How tokens look at each other. */
    AttentionConfig attention();

    /** Floats of KV state that one token keeps in one layer. */
    default int cacheWidth() {
        return attention().cacheWidth();
    }

    /** What is routed; empty for a dense model. */
    default Optional<Moe> moe() {
        return Optional.empty();
    }

    /** Keys that were neither read nor known to be harmless, for {@code inspect}. */
    List<String> ignoredKeys();

    /**
     * @param experts E
     * @param perToken K
     * @param layers the checkpoint's indices of the layers with routed experts, ascending
     */
    record Moe(int experts, int perToken, List<Integer> layers) {}
}
