package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {

    private static final String DEEPSEEK =
            Command.MODELS.resolve("deepseek_v3-tiny/hf").toString();

    @Test
    void tellsWhatTheFilesHold() {
        Command command = Command.run("inspect", DEEPSEEK);

        assertThat(command.exit()).isZero();
        assertThat(command.err()).isEmpty();
        assertThat(command.out())
                .contains("deepseek_v3")
                .contains("16")
                .contains("ignored keys")
                .contains("one token          reads ");
        assertThat(command.out()).containsPattern("engine +reference, float32; ready: plain Java on the processor");
        assertThat(command.out()).containsPattern("engine +cpu, float32 and fast; (ready|missing): ");
    }

    @Test
    void aReaderThatIsGoneIsAFailure() {
        for (String[] arguments : new String[][] {{"inspect", DEEPSEEK}, {"inspect", DEEPSEEK, "--json"}}) {
            Command command = Command.runUntil(3, arguments);

            assertThat(command.exit()).isEqualTo(1);
            assertThat(command.err()).contains("cannot write the output").hasLineCount(1);
        }
    }

    @Test
    void tellsProgramsTheSame() throws IOException {
        Command command = Command.run("inspect", DEEPSEEK, "--json");

        JsonNode json = new ObjectMapper().readTree(command.out());
        assertThat(json.path("architecture").textValue()).isEqualTo("deepseek_v3");
        assertThat(json.path("layers").intValue()).isEqualTo(4);
        assertThat(json.path("experts").path("count").intValue()).isEqualTo(16);
        assertThat(json.path("layerBytes")).hasSize(4);
        long parts =
                json.path("embeddingBytes").longValue() + json.path("headBytes").longValue();
        for (JsonNode layer : json.path("layerBytes")) {
            parts += layer.longValue();
        }
        assertThat(json.path("bytes").longValue()).isEqualTo(parts);
        // 4 of 16 experts in 3 of 4 layers, and a row of the embedding
        assertThat(json.path("token").path("weightBytes").longValue()).isBetween(parts / 4, parts / 2);
        assertThat(json.path("token").path("operations").longValue()).isPositive();
        JsonNode cpu = json.path("engines").path(0);
        assertThat(cpu.path("name").textValue()).isEqualTo("cpu");
        assertThat(cpu.path("precisions")).hasSize(2);
        assertThat(cpu.path("state").textValue()).matches("ready: .+|missing: .+");
        assertThat(json.path("engines").path(1).path("name").textValue()).isEqualTo("mlx");
        JsonNode reference = json.path("engines").path(2);
        assertThat(reference.path("name").textValue()).isEqualTo("reference");
        assertThat(reference.path("precisions").path(0).textValue()).isEqualTo("float32");
    }

    @Test
    void aModelThatIsNotThereIsOneSentence() {
        Command command = Command.run("inspect", "nowhere");

        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.out()).isEmpty();
        assertThat(command.err()).startsWith("espalier-node: no model nowhere").hasLineCount(1);
    }

    @Test
    void weightsThatAreNotTheConfigsAreNamed(@TempDir Path folder) throws IOException {
        Path source = Command.MODELS.resolve("llama-tiny/hf");
        Files.copy(source.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode config =
                (ObjectNode) mapper.readTree(source.resolve("config.json").toFile());
        mapper.writeValue(folder.resolve("config.json").toFile(), config.put("intermediate_size", 96));

        Command command = Command.run("inspect", folder.toString());

        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.err())
                .contains("tensor model.layers.0.mlp.gate_proj.weight has the shape")
                .contains("expected [96, 64]")
                .hasLineCount(1);
    }

    @Test
    void withoutAModelItIsAUsageError() {
        Command command = Command.run("inspect");

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains("MODEL");
    }

    @Test
    void everyCommandHelps() {
        for (List<String> arguments : List.of(
                List.of("--help"),
                List.of("run", "--help"),
                List.of("serve", "--help"),
                List.of("inspect", "--help"))) {
            Command command = Command.run(arguments.toArray(String[]::new));

            assertThat(command.exit()).isZero();
            assertThat(command.out()).startsWith("Usage: espalier-node");
        }
        assertThat(Command.run("--version").out()).startsWith("espalier-node ");
        assertThat(Command.run().exit()).isEqualTo(2);
        assertThat(Command.run("dance").err()).contains("dance");
    }
}
