package org.espalier.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.checkpoint.GgufDialects;
import org.espalier.config.ConfigException;
import org.espalier.config.ConfigReader;
import org.espalier.config.TextConfig;

/** The register of what is served, a line for each {@code model_type}; no other place lists the architectures. */
public final class Architectures {

    private static final List<Entry> REGISTER = List.of(
            entry("deepseek_v2", DeepseekV2::read, DeepseekV2.GGUF),
            entry("deepseek_v3", DeepseekV3::read, DeepseekV3.GGUF).also("kimi_k2", "kimi_k25"),
            entry("deepseek_v32", DeepseekV32::read, DeepseekV32.GGUF),
            entry("gemma3_text", Gemma3::read, Gemma3.GGUF),
            entry("gemma4", Gemma4::read).also("gemma4_text"),
            entry("glm4_moe", Glm4Moe::read, Glm4Moe.GGUF),
            entry("glm4_moe_lite", Glm4MoeLite::read),
            entry("glm_moe_dsa", GlmMoeDsa::read, GlmMoeDsa.GGUF),
            entry("gpt_oss", GptOss::read, GptOss.GGUF),
            entry("llama", Llama::read, Llama.GGUF),
            entry("mimo_v2_flash", MimoV2Flash::read, MimoV2Flash.GGUF),
            entry("minimax_m2", MiniMaxM2::read, MiniMaxM2.GGUF),
            entry("mistral", Mistral::read),
            entry("mixtral", Mixtral::read, Mixtral.GGUF),
            entry("olmoe", Olmoe::read, Olmoe.GGUF),
            entry("qwen2", Qwen2::read, Qwen2.GGUF),
            entry("qwen2_moe", Qwen2Moe::read, Qwen2Moe.GGUF),
            entry("qwen3", Qwen3::read, Qwen3.GGUF),
            entry("qwen3_moe", Qwen3Moe::read, Qwen3Moe.GGUF),
            entry("qwen3_5", Qwen35::read, Qwen35.GGUF).also("qwen3_5_text"),
            entry("qwen3_5_moe", Qwen35Moe::read, Qwen35Moe.GGUF).also("qwen3_5_moe_text"),
            entry("qwen3_next", Qwen3Next::read, Qwen3Next.GGUF));

    /** Architectures that people ask for, and what they compute that is not computed here. */
    private static final Map<String, String> MISSING = Map.of(
            "deepseek_v4",
            "attention over compressed rows, hyper-connections between layers, and experts chosen by a table of token ids",
            "nemotron_h",
            "Mamba-2 layers, and experts of two matrices with a squared ReLU");

    private static final GgufDialects GGUF = new GgufDialects(
            REGISTER.stream().flatMap(entry -> entry.gguf.stream()).toList());

    /** @param modelTypes the architecture's own and those of models that compute the same; a multimodal one's text part has one of them too */
    private record Entry(List<String> modelTypes, Function<ConfigReader, Architecture> read, List<GgufDialect> gguf) {

        Entry also(String... others) {
            return new Entry(
                    Stream.concat(modelTypes.stream(), Stream.of(others)).toList(), read, gguf);
        }
    }

    private Architectures() {}

    private static Entry entry(String modelType, Function<ConfigReader, Architecture> read, GgufDialect... gguf) {
        return new Entry(List.of(modelType), read, List.of(gguf));
    }

    /** Each {@code model_type} that {@link #read} knows. */
    public static List<String> modelTypes() {
        return REGISTER.stream()
                .flatMap(entry -> entry.modelTypes.stream())
                .sorted()
                .toList();
    }

    /** The GGUF files that are read. */
    public static GgufDialects gguf() {
        return GGUF;
    }

    /**
     * The architecture that a config.json describes.
     *
     * @throws ConfigException naming the key, and the value where there is one
     */
    public static Architecture read(ObjectNode json) {
        ConfigReader config = new ConfigReader(TextConfig.of(json));
        String type = config.text("model_type", null);
        if (type == null) {
            throw new ConfigException("the required key model_type is missing");
        }
        Entry entry = REGISTER.stream()
                .filter(candidate -> candidate.modelTypes.contains(type))
                .findFirst()
                .orElseThrow(() -> notSupported(type));
        String text = TextConfig.ownType(config, type);
        if (!entry.modelTypes.contains(text)) {
            throw new ConfigException(
                    "text_config.model_type is " + text + ", which is not supported in a model of type " + type
                            + ": expected " + String.join(" or ", entry.modelTypes));
        }
        config.refuseForeignQuantization();
        return entry.read.apply(config);
    }

    private static ConfigException notSupported(String type) {
        String missing = MISSING.containsKey(type) ? ", because it has " + MISSING.get(type) : "";
        return new ConfigException("model_type " + type + " is not supported" + missing + "; supported are: "
                + String.join(", ", modelTypes()));
    }
}
