package org.espalier.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.espalier.EspalierException;
import org.espalier.checkpoint.PresentRanges;
import org.espalier.checkpoint.SafetensorsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversions, tensor for tensor against mlx-lm's. */
class QuantizerTest {

    private static final Path TINY = Path.of("src", "test", "resources", "models", "deepseek_v3-tiny");
    private static final Path SHARED = Path.of("..", "..", "shared", "golden", "models");
    private static final Quantizer.Settings FOUR_BITS = new Quantizer.Settings(4, 64);
    private static final Quantizer.Progress SILENT = (written, total) -> {};
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path directory;

    @Test
    void theTinyModelBecomesWhatMlxLmMakesOfIt() throws IOException {
        convertAndCompare(TINY, "model.layers.2.self_attn.o_proj"); // the tiny model has 8 bits there to test readers
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "deepseek_v2",
                "deepseek_v2_lite",
                "deepseek_v3",
                "gemma4",
                "deepseek_v32",
                "deepseek_v32",
                "gemma4",
                "glm4_moe",
                "glm4_moe_lite",
                "glm_moe_dsa",
                "gpt_oss",
                "kimi_k25",
                "llama_tied",
                "llama_untied",
                "mimo_v2_flash",
                "minimax_m2",
                "mixtral",
                "olmoe",
                "qwen2_moe",
                "qwen3",
                "qwen3_5_moe",
                "qwen3_moe",
                "qwen3_next"
            })
    void everyArchitectureBecomesWhatMlxLmMakesOfIt(String model) throws IOException {
        assumeTrue(Files.isDirectory(SHARED), "../shared/golden is not beside the repository, or not whole");
        convertAndCompare(SHARED.resolve(model), "");
    }

    /** @param other a module that was quantized otherwise there */
    private void convertAndCompare(Path model, String other) throws IOException {
        Path out = directory.resolve("out");
        AtomicLong left = new AtomicLong(Long.MAX_VALUE);
        Quantizer.convert(
                model.resolve("hf"),
                out,
                FOUR_BITS,
                (written, total) -> left.accumulateAndGet(total - written, Math::min));
        assertThat(left).as("bytes left at the last report").hasValue(0);
        Map<String, SafetensorsFile.Tensor> expected = tensors(model.resolve("mlx4"));
        Map<String, SafetensorsFile.Tensor> found = tensors(out);
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        for (Map.Entry<String, SafetensorsFile.Tensor> tensor : expected.entrySet()) {
            String name = tensor.getKey();
            SafetensorsFile.Tensor own = found.get(name);
            if (!other.isEmpty() && name.startsWith(other)) {
                continue;
            }
            assertThat(own.type()).as(name).isEqualTo(tensor.getValue().type());
            assertThat(own.shape()).as(name).isEqualTo(tensor.getValue().shape());
            assertThat(Arrays.equals(bytes(own), bytes(tensor.getValue())))
                    .as("bytes of " + name)
                    .isTrue();
        }
        JsonNode config = JSON.readTree(out.resolve("config.json").toFile());
        JsonNode expectedConfig =
                JSON.readTree(model.resolve("mlx4/config.json").toFile());
        ((ObjectNode) expectedConfig.get("quantization")).remove(other);
        assertThat(config.get("quantization")).isEqualTo(expectedConfig.get("quantization"));
        assertThat(names(directory)).containsExactly("out");
    }

    private static Map<String, SafetensorsFile.Tensor> tensors(Path folder) throws IOException {
        Map<String, SafetensorsFile.Tensor> entries = new TreeMap<>();
        for (String name : names(folder)) {
            if (name.endsWith(".safetensors")) {
                entries.putAll(SafetensorsFile.read(folder.resolve(name)).entries());
            }
        }
        return entries;
    }

    private static byte[] bytes(SafetensorsFile.Tensor entry) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(entry.file().toFile(), "r")) {
            byte[] bytes = new byte[(int) entry.bytes()];
            file.seek(entry.begin());
            file.readFully(bytes);
            return bytes;
        }
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void theTokenizerComesAlong() throws IOException {
        Path out = directory.resolve("out");
        Quantizer.convert(TINY.resolve("hf"), out, FOUR_BITS, SILENT);
        assertThat(names(out))
                .containsExactly(
                        "config.json",
                        "model.safetensors",
                        "model.safetensors.index.json",
                        "tokenizer.json",
                        "tokenizer_config.json");
    }

    @Test
    void aRunThatIsCutOffLeavesNothing() throws IOException {
        Path out = directory.resolve("out");
        assertThatThrownBy(() -> Quantizer.convert(TINY.resolve("hf"), out, FOUR_BITS, (written, total) -> {
                    throw new EspalierException("cut off");
                }))
                .isInstanceOf(EspalierException.class);
        assertThat(names(directory)).isEmpty();
    }

    @Test
    void anInterruptedRunLeavesNothing() throws IOException {
        Path out = directory.resolve("out");
        Thread caller = Thread.currentThread();
        try {
            assertThatThrownBy(() -> Quantizer.convert(
                            TINY.resolve("hf"), out, FOUR_BITS, (written, total) -> caller.interrupt()))
                    .isInstanceOf(EspalierException.class)
                    .hasMessage("quantizing was interrupted: nothing is left of " + out);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(names(directory)).isEmpty();
    }

    @Test
    void whatIsThereIsNotOverwritten() throws IOException {
        Path out = Files.createDirectory(directory.resolve("out"));
        assertThatThrownBy(() -> Quantizer.convert(TINY.resolve("hf"), out, FOUR_BITS, SILENT))
                .isInstanceOf(EspalierException.class)
                .hasMessage(out + " is there already: delete it or choose another folder");
    }

    @Test
    void aFolderForTheTargetMustExist() {
        Path out = directory.resolve("nowhere").resolve("out");
        assertThatThrownBy(() -> Quantizer.convert(TINY.resolve("hf"), out, FOUR_BITS, SILENT))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("does not exist: create it first");
    }

    /** The rest would be read as zeros. */
    @Test
    void someLayersOfAModelAreRefused() throws IOException {
        Path part = Files.createDirectory(directory.resolve("part"));
        for (Path file : names(TINY.resolve("hf")).stream()
                .map(TINY.resolve("hf")::resolve)
                .toList()) {
            Files.copy(file, part.resolve(file.getFileName()));
        }
        PresentRanges header = new PresentRanges("commit");
        header.add(0, 1000);
        header.write(part.resolve("model-00001-of-00002.safetensors"));
        assertThatThrownBy(() -> Quantizer.convert(part, directory.resolve("out"), FOUR_BITS, SILENT))
                .isInstanceOf(EspalierException.class)
                .hasMessageStartingWith(part + " holds only some layers, ");
        assertThat(directory.resolve("out")).doesNotExist();
    }

    @Test
    void whatIsQuantizedAlreadyIsRefused() {
        Path out = directory.resolve("out");
        assertThatThrownBy(() -> Quantizer.convert(TINY.resolve("mlx4"), out, FOUR_BITS, SILENT))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("is stored as MLX: quantize needs a Hugging Face checkpoint");
    }

    @Test
    void bitsThatMlxDoesNotHaveAreRefused() {
        Path out = directory.resolve("out");
        Quantizer.Settings seven = new Quantizer.Settings(7, 64);
        assertThatThrownBy(() -> Quantizer.convert(TINY.resolve("hf"), out, seven, SILENT))
                .isInstanceOf(EspalierException.class)
                .hasMessage("MLX has no affine quantization with 7 bits and groups of 64: choose 2, 3, 4, 5, 6 or 8"
                        + " bits and groups of 32, 64 or 128");
    }
}
