package org.espalier.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.fuzz.Fuzzing;
import org.espalier.model.Model;
import org.espalier.plan.ShardPlans;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightCheck;
import org.espalier.weights.WeightException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged GGUF files, safetensors files and configs. */
class CheckpointFuzzTest {

    private static final long MAX_BYTES = 64 << 20;

    private static final String CONFIG =
            "{\"model_type\":\"llama\",\"hidden_size\":32,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
                    + "\"vocab_size\":4,\"intermediate_size\":64,\"max_position_embeddings\":8,\"rms_norm_eps\":1e-5,"
                    + "\"quantization\":{\"group_size\":64,\"bits\":4}}";

    @TempDir
    private Path folder;

    private Path directory;

    @BeforeEach
    void makeDirectory() throws IOException {
        directory = Files.createDirectory(folder.resolve("model"));
        Files.writeString(directory.resolve("config.json"), CONFIG);
    }

    @Test
    void ggufFiles() throws IOException {
        List<byte[]> corpus = new ArrayList<>(List.of(
                GgufBuilder.llama().bytes(), GgufBuilder.llama().version(2).bytes()));
        corpus.addAll(files(".gguf", 300_000));
        Path file = folder.resolve("model.gguf");
        Fuzzing.run("gguf", corpus, MAX_BYTES, input -> openAll(SafetensorsBuilder.write(file, input)));
    }

    @Test
    void safetensorsFiles() throws IOException {
        List<byte[]> corpus = new ArrayList<>();
        corpus.add(new SafetensorsBuilder()
                .format("pt")
                .tensor("model.layers.0.a.weight", "U32", 4, 16)
                .tensor("model.layers.0.a.scales", "BF16", 4, 2)
                .tensor("model.layers.0.a.biases", "BF16", 4, 2)
                .tensor("model.layers.0.mlp.switch_mlp.up_proj.weight", "F16", 3, 2, 2)
                .bytes());
        corpus.add(
                new SafetensorsBuilder().tensor("model.norm.weight", "F32", 32).bytes());
        Fuzzing.run("safetensors", corpus, MAX_BYTES, input -> {
            SafetensorsBuilder.write(directory.resolve("model.safetensors"), input);
            openAll(directory);
        });
    }

    /** The list of parts beside several files. */
    @Test
    void safetensorsIndices() throws IOException {
        for (String part : List.of("a", "b")) {
            new SafetensorsBuilder().tensor(part + ".weight", "F16", 4).write(directory.resolve(part + ".safetensors"));
        }
        byte[] index =
                "{\"metadata\":{\"total_size\":16},\"weight_map\":{\"a.weight\":\"a.safetensors\",\"b.weight\":\"b.safetensors\"}}"
                        .getBytes(StandardCharsets.UTF_8);
        Fuzzing.run("safetensors index", List.of(index), MAX_BYTES, input -> {
            SafetensorsBuilder.write(directory.resolve("model.safetensors.index.json"), input);
            openAll(directory);
        });
    }

    /** One line of the resource for each architecture, unquantized and quantized. */
    @Test
    void configs() throws IOException {
        List<byte[]> corpus;
        try (InputStream in = CheckpointFuzzTest.class.getResourceAsStream("configs.jsonl")) {
            corpus = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> line.getBytes(StandardCharsets.UTF_8))
                    .toList();
        }
        new SafetensorsBuilder()
                .tensor("model.layers.0.a.weight", "F16", 4)
                .write(directory.resolve("model.safetensors"));
        Fuzzing.run("config", corpus, MAX_BYTES, input -> {
            SafetensorsBuilder.write(directory.resolve("config.json"), input);
            openAll(directory);
        });
    }

    /** Every weight that is listed lies within its file. */
    private static void openAll(Path path) {
        try (Model model = Model.open(path)) {
            new ShardPlans(model).sizes();
            for (String name : model.checkpoint().names()) {
                Weight weight = model.checkpoint().weight(name);
                try {
                    WeightCheck.check(name, weight, file -> file.toFile().length());
                } catch (WeightException e) {
                    throw new AssertionError(name + " does not lie within its file", e);
                }
            }
            model.tokenizer();
        }
    }

    private static List<byte[]> files(String ending, long maxBytes) throws IOException {
        try (Stream<Path> all = Files.walk(Golden.tiny(""))) {
            return all.filter(path ->
                            path.toString().endsWith(ending) && path.toFile().length() <= maxBytes)
                    .sorted()
                    .map(CheckpointFuzzTest::bytes)
                    .toList();
        }
    }

    private static byte[] bytes(Path path) {
        try {
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
