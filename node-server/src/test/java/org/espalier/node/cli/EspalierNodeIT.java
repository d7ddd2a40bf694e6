package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

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
