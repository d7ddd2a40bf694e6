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
import org.opentest4j.TestAbortedException;

/**
 * A tiny model with what other software computed on it; the files are looked at when asked for. One of the project's own that is missing
 * fails by name, a test of one that lies beside the repository is skipped.
 *
 * @param name folder and layout
 */
record GoldenModel(Path root, String name) {

    private static final Path TINY = Path.of("src", "test", "resources", "models");
    private static final Path SHARED = Path.of("..", "..", "shared", "golden", "models");

    /** Those of the project itself. */
    static List<GoldenModel> tiny() {
        return of(
                TINY,
                "deepseek2_gguf-tiny/gguf",
                "deepseek2_kv_b_gguf-tiny/gguf",
                "deepseek32_gguf-tiny/gguf",
                "deepseek_v3-tiny/hf",
                "deepseek_v3-tiny/mlx4",
                "gemma3_text-tiny/hf",
                "glm-dsa_gguf-tiny/gguf",
                "glm4moe_gguf-tiny/gguf",
                "gpt-oss_gguf-tiny/gguf",
                "kimi_k2-tiny/hf",
                "llama-tiny/hf",
                "llama_gguf-tiny/gguf",
                "mistral-tiny/hf",
                "mixtral_gguf-tiny/gguf",
                "olmoe_gguf-tiny/gguf",
                "qwen2-tiny/hf",
                "qwen2_gguf-tiny/gguf",
                "qwen2_moe-tiny/hf",
                "qwen2moe_gguf-tiny/gguf",
                "qwen35_gguf-tiny/gguf",
                "qwen35moe_gguf-tiny/gguf",
                "qwen3_gguf-tiny/gguf",
                "qwen3_moe-tiny/hf",
                "qwen3moe_gguf-tiny/gguf",
                "qwen3next_gguf-tiny/gguf");
    }

    /** Those beside the repository. */
    static List<GoldenModel> shared() {
        return of(
                SHARED,
                "deepseek_v2/hf",
                "deepseek_v2/mlx4",
                "deepseek_v2_lite/hf",
                "deepseek_v2_lite/mlx4",
                "deepseek_v3/hf",
                "deepseek_v3/mlx4",
                "deepseek_v3_mlx_legacy/mlx4",
                "deepseek_v32/hf",
                "deepseek_v32/mlx4",
                "gemma4/hf",
                "gemma4/mlx4",
                "glm4_moe/hf",
                "glm4_moe/mlx4",
                "glm4_moe_lite/hf",
                "glm4_moe_lite/mlx4",
                "glm_moe_dsa/hf",
                "glm_moe_dsa/mlx4",
                "glm_moe_dsa_shared/hf",
                "gpt_oss/hf",
                "gpt_oss/mlx4",
                "gpt_oss_bf16/hf",
                "kimi_k25/hf",
                "kimi_k25/mlx4",
                "llama_gguf_f16/gguf",
                "llama_gguf_q4_0/gguf",
                "llama_tied/hf",
                "llama_tied/mlx4",
                "llama_untied/hf",
                "llama_untied/mlx4",
                "minimax_m2/hf",
                "minimax_m2/mlx4",
                "mimo_v2_flash/hf",
                "mimo_v2_flash/mlx4",
                "mixtral/hf",
                "mixtral/mlx4",
                "olmoe/hf",
                "olmoe/mlx4",
                "qwen2_moe/hf",
                "qwen2_moe/mlx4",
                "qwen3/hf",
                "qwen3/mlx4",
                "qwen3_5_moe/hf",
                "qwen3_5_moe/mlx4",
                "qwen3_moe/hf",
                "qwen3_moe/mlx4",
                "qwen3_next/hf",
                "qwen3_next/mlx4",
                "qwen3moe_gguf_q4_0/gguf",
                "qwen3moe_gguf_q8_0/gguf");
    }

    static GoldenModel tiny(String name) {
        return tiny().stream()
                .filter(model -> model.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no tiny model " + name));
    }

    private static List<GoldenModel> of(Path root, String... names) {
        return Stream.of(names).map(name -> new GoldenModel(root, name)).toList();
    }

    /** The file with the results. */
    private Path golden() {
        return folder().resolveSibling(name.endsWith("/mlx4") ? "golden_mlx4.json" : "golden.json");
    }

    private Path folder() {
        return root.resolve(name);
    }

    /** What is opened: the folder, or the GGUF file in it. */
    Path path() {
        requireFiles();
        try (Stream<Path> files = Files.list(folder())) {
            return files.filter(file -> file.toString().endsWith(".gguf"))
                    .findFirst()
                    .orElse(folder());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void requireFiles() {
        if (Files.isDirectory(folder()) && Files.isRegularFile(golden())) {
            return;
        }
        if (root.equals(SHARED)) {
            throw new TestAbortedException("../shared/golden is not beside the repository, or not whole");
        }
        throw new AssertionError("the golden model " + name + " is missing: " + folder() + " and " + golden()
                + " belong to the repository; git has them, and models/src/test/python makes them");
    }

    Model open() {
        return Model.open(path());
    }

    /** The prompts with their results. */
    List<Golden> prompts() {
        try {
            JsonNode root = new ObjectMapper().readTree(golden().toFile());
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
