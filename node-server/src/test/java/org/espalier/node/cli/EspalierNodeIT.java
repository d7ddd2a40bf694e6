package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The jar as users start it. */
class EspalierNodeIT {

    private static final Path JAR = Path.of("target", "espalier-node.jar");

    @Test
    void runsOnNodeProcessesAndLeavesNone() throws Exception {
        JsonNode prompt = new ObjectMapper()
                .readTree(Command.MODELS
                        .resolve("deepseek_v3-tiny/golden_mlx4.json")
                        .toFile())
                .path("prompts")
                .get(0);
        String tokens = StreamSupport.stream(prompt.path("prompt_ids").spliterator(), false)
                .map(JsonNode::asText)
                .collect(Collectors.joining(","));
        Process run = start(
                "run",
                "--model",
                Command.MODELS.resolve("deepseek_v3-tiny/mlx4").toString(),
                "--tokens",
                tokens,
                "--predict",
                "24",
                "--ignore-eos",
                "--precision",
                "float32",
                "--json",
                "--nodes",
                "2");
        run.getOutputStream().close();
        String out = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        List<ProcessHandle> left = run.descendants().toList();

        assertThat(run.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(run.exitValue()).isZero();
        JsonNode report = new ObjectMapper().readTree(out);
        assertThat(report.path("tokens")).isEqualTo(prompt.path("greedy_ids"));
        assertThat(report.path("nodes").intValue()).isEqualTo(2);
        for (ProcessHandle child : left) {
            child.onExit().get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void servesUntilItsParentEnds() throws Exception {
        Process serve = start("serve", "--port", "0", "--name", "it", "--parent-stdin");
        serve.getOutputStream().write("0123456789abcdef\n".getBytes(StandardCharsets.UTF_8));
        serve.getOutputStream().flush();
        try (BufferedReader out = serve.inputReader(StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).matches("listening on 127\\.0\\.0\\.1:\\d+");
            assertThat(serve.isAlive()).isTrue();
            serve.getOutputStream().close();
            assertThat(serve.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            serve.destroyForcibly();
        }
    }

    @Test
    void failsWithOneSentenceAndItsCode() throws Exception {
        Process run = start("run", "--model", "nowhere", "--tokens", "1");
        String out = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(run.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(run.waitFor()).isEqualTo(1);
        assertThat(out).isEmpty();
        assertThat(err).startsWith("espalier-node: no model nowhere").hasLineCount(1);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDeviceIsAFailure() throws Exception {
        String model = Command.MODELS.resolve("llama-tiny/hf").toString();
        Process inspect = builder("inspect", model)
                .redirectOutput(Path.of("/dev/full").toFile())
                .start();
        String err = new String(inspect.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(inspect.waitFor()).isEqualTo(1);
        assertThat(err).startsWith("espalier-node: cannot write the output").hasLineCount(1);
    }

    @Test
    void quantizeThatIsEndedLeavesNothing(@TempDir Path folder) throws Exception {
        Path model = Files.createDirectory(folder.resolve("model"));
        wide(Command.MODELS.resolve("llama-tiny/hf"), model);
        Process quantize = start(
                "quantize",
                "--model",
                model.toString(),
                "--out",
                folder.resolve("out").toString());
        while (quantize.isAlive() && names(folder).size() == 1) {
            Thread.sleep(10);
        }
        assertThat(names(folder))
                .as(() -> quantize.isAlive() ? "" : text(quantize.getErrorStream()))
                .hasSize(2)
                .allMatch(name -> name.matches("model|out\\.incomplete-.*"));
        quantize.destroy();
        assertThat(quantize.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(quantize.exitValue()).isEqualTo(143);
        assertThat(names(folder)).containsExactly("model");
    }

    private static String text(InputStream stream) {
        try {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** The model with a vocabulary that takes many seconds to quantize, of zeros in a sparse file. */
    private static void wide(Path from, Path to) throws IOException {
        ObjectMapper json = new ObjectMapper();
        int vocabulary = 16_000_000;
        ObjectNode config =
                (ObjectNode) json.readTree(from.resolve("config.json").toFile());
        Files.writeString(
                to.resolve("config.json"), config.put("vocab_size", vocabulary).toString());
        ObjectNode header = (ObjectNode) header(from.resolve("model.safetensors"));
        header.remove("__metadata__");
        long end = 0;
        for (Map.Entry<String, JsonNode> tensor : header.properties()) {
            ArrayNode shape = (ArrayNode) tensor.getValue().get("shape");
            if (tensor.getKey().matches("lm_head.*|model.embed_tokens.*")) {
                shape.set(0, vocabulary);
            }
            long bytes = tensor.getValue().get("dtype").asText().equals("F32") ? 4 : 2;
            for (JsonNode size : shape) {
                bytes *= size.asLong();
            }
            ((ObjectNode) tensor.getValue()).putArray("data_offsets").add(end).add(end + bytes);
            end += bytes;
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile file =
                new RandomAccessFile(to.resolve("model.safetensors").toFile(), "rw")) {
            file.writeLong(Long.reverseBytes(text.length));
            file.write(text);
            file.setLength(Long.BYTES + text.length + end);
        }
    }

    private static JsonNode header(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            int length = (int) ByteBuffer.wrap(in.readNBytes(Long.BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getLong();
            return new ObjectMapper().readTree(in.readNBytes(length));
        }
    }

    @Test
    void knowsItsVersion() throws Exception {
        Process version = start("--version");

        assertThat(new String(version.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .matches("espalier-node \\d+\\.\\S+\\R");
    }

    private static Process start(String... arguments) throws IOException {
        return builder(arguments).start();
    }

    private static ProcessBuilder builder(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-jar", JAR.toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }
}
