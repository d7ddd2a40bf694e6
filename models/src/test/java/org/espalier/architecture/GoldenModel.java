package org.espalier.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.model.Model;

/**
 * A tiny model with what other software computed on it.
 *
 * @param golden the file with the results, read when asked for
 */
record GoldenModel(String name, Path path, Path golden) {

    private static final Path TINY = Path.of("src", "test", "resources", "models");
    private static final Path SHARED = Path.of("..", "..", "shared", "golden", "models");

    /** Those of the project itself. */
    static List<GoldenModel> tiny() {
        return find(
                TINY,
                List.of(
                        "llama-tiny",
                        "llama_gguf-tiny",
                        "deepseek_v3-tiny",
                        "kimi_k2-tiny",
                        "mistral-tiny",
                        "qwen2-tiny",
                        "qwen2_moe-tiny",
                        "qwen3_moe-tiny",
                        "deepseek2_gguf-tiny",
                        "deepseek2_kv_b_gguf-tiny",
                        "glm4moe_gguf-tiny",
                        "gpt-oss_gguf-tiny",
                        "mixtral_gguf-tiny",
                        "olmoe_gguf-tiny",
                        "qwen2_gguf-tiny",
                        "qwen2moe_gguf-tiny",
                        "qwen3_gguf-tiny",
                        "qwen3moe_gguf-tiny"));
    }

    /** Those beside the repository; empty where they are missing. */
    static List<GoldenModel> shared() {
        return find(
                SHARED,
                List.of(
                        "deepseek_v2",
                        "deepseek_v2_lite",
                        "deepseek_v3",
                        "deepseek_v3_mlx_legacy",
                        "glm4_moe",
                        "gpt_oss",
                        "gpt_oss",
                        "gpt_oss_bf16",
                        "llama_gguf_f16",
                        "llama_gguf_q4_0",
                        "llama_tied",
                        "llama_untied",
                        "mixtral",
                        "olmoe",
                        "qwen2_moe",
                        "qwen3",
                        "qwen3_moe",
                        "qwen3moe_gguf_q4_0",
                        "qwen3moe_gguf_q8_0"));
    }

    static GoldenModel tiny(String name) {
        return tiny().stream()
                .filter(model -> model.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no tiny model " + name));
    }

    private static List<GoldenModel> find(Path root, List<String> names) {
        List<GoldenModel> models = new ArrayList<>();
        for (String name : names) {
            Path folder = root.resolve(name);
            for (String layout : List.of("hf", "mlx4", "gguf")) {
                Path golden = folder.resolve(layout.equals("mlx4") ? "golden_mlx4.json" : "golden.json");
                if (Files.exists(golden) && Files.exists(folder.resolve(layout))) {
                    models.add(new GoldenModel(name + "/" + layout, path(folder.resolve(layout)), golden));
                }
            }
        }
        return models;
    }

    private static Path path(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".gguf"))
                    .findFirst()
                    .orElse(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Model open() {
        return Model.open(path);
    }

    /** The prompts with their results. */
    List<Golden> prompts() {
        try {
            JsonNode root = new ObjectMapper().readTree(golden.toFile());
            List<Golden> prompts = new ArrayList<>();
            for (JsonNode prompt : root.path("prompts")) {
                prompts.add(new Golden(prompt, routing(root, prompt, prompts.isEmpty())));
            }
            return prompts;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where weights were not recorded, {@code expert_ids} stands beside the prompts or in the first one. */
    private static JsonNode routing(JsonNode root, JsonNode prompt, boolean first) {
        if (prompt.path("routing").isObject()) {
            return prompt.path("routing");
        }
        if (prompt.path("expert_ids").isObject()) {
            return prompt.path("expert_ids");
        }
        return first ? root.path("expert_ids") : root.path("none");
    }

    @Override
    public String toString() {
        return name;
    }

    /** @param routing by layer: {@code expert_ids} and {@code weights}, or ids alone */
    record Golden(JsonNode json, JsonNode routing) {

        int[] ids(String key) {
            int[] ids = new int[json.path(key).size()];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = json.path(key).get(i).intValue();
            }
            return ids;
        }

        float[] numbers(String key) {
            return floats(json.path(key));
        }

        static float[] floats(JsonNode array) {
            float[] numbers = new float[array.size()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) array.get(i).doubleValue();
            }
            return numbers;
        }
    }
}
