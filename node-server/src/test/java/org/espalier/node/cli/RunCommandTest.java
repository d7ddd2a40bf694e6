package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.espalier.cluster.Cluster;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunCommandTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LLAMA = Command.MODELS.resolve("llama-tiny/hf").toString();
    private static final String DEEPSEEK =
            Command.MODELS.resolve("deepseek_v3-tiny/hf").toString();

    /** The nodes that were there before have what they had, whether the run succeeds or not. */
    @ParameterizedTest
    @CsvSource({"'1,2', 0", "999999999, 1"})
    void aRunOnOtherNodesLeavesNothingThere(String tokens, int exit) {
        try (NodeServer node = NodeServer.start(NodeOptions.loopback("n0"));
                Cluster watching = Cluster.of(node.address())) {
            Command command = Command.run(
                    "run",
                    "--connect",
                    node.address(),
                    "--model",
                    LLAMA,
                    "--tokens",
                    tokens,
                    "--predict",
                    "2",
                    "--ignore-eos",
                    "--precision",
                    "float32");
            assertThat(command.exit()).as(command.err()).isEqualTo(exit);
            assertThat(command.err()).contains(exit == 0 ? "2 new ones" : "999999999");
            assertThat(watching.deployments()).isEmpty();
        }
    }

    @Test
    void theJsonObjectHoldsWhatWasAskedFor() throws IOException {
        JsonNode golden = golden("deepseek_v3-tiny");
        JsonNode prompt = golden.path("prompts").get(0);

        Command command = Command.run(
                "run",
                "--model",
                DEEPSEEK,
                "--tokens",
                list(prompt.path("prompt_ids")),
                "--predict",
                "24",
                "--ignore-eos",
                "--temperature",
                "0",
                "--logits",
                "--routing",
                "--json",
                "--precision",
                "float32");

        assertThat(command.err()).isEmpty();
        assertThat(command.exit()).isZero();
        JsonNode report = JSON.readTree(command.out());
        assertThat(names(report))
                .containsExactlyInAnyOrder(
                        "promptTokens",
                        "tokens",
                        "text",
                        "finish",
                        "logits",
                        "routing",
                        "timing",
                        "engine",
                        "precision",
                        "nodes");
        assertThat(report.path("promptTokens")).isEqualTo(prompt.path("prompt_ids"));
        assertThat(report.path("tokens")).isEqualTo(prompt.path("greedy_ids"));
        assertThat(report.path("text").isTextual()).isTrue();
        assertThat(report.path("finish").textValue()).isEqualTo("length");
        for (int i = 0; i < prompt.path("last_logits").size(); i++) {
            assertThat(report.path("logits").get(i).doubleValue())
                    .isCloseTo(prompt.path("last_logits").get(i).doubleValue(), within(2e-4));
        }
        assertThat(report.path("routing")).hasSize(3);
        JsonNode layer = report.path("routing").get(0);
        assertThat(layer.path("layer").intValue()).isEqualTo(1);
        assertThat(layer.path("experts")).hasSize(24 + 24 - 1);
        assertThat(layer.path("weights")).hasSize(24 + 24 - 1);
        assertThat(sorted(layer.path("experts").get(0)))
                .isEqualTo(sorted(
                        prompt.path("routing").path("1").path("expert_ids").get(0)));
        assertThat(names(report.path("timing")))
                .containsExactlyInAnyOrder(
                        "loadSeconds", "firstTokenSeconds", "prefillTokensPerSecond", "decodeTokensPerSecond");
        assertThat(report.path("engine").textValue()).isIn("cpu", "reference"); // as this machine has a C compiler
        assertThat(report.path("precision").textValue()).isEqualTo("float32");
        assertThat(report.path("nodes").intValue()).isEqualTo(1);
    }

    @Test
    void aDenseModelHasNoRoutingAndAPlainRunNoLogits() throws IOException {
        JsonNode report = json("--model", LLAMA, "--tokens", "1,2,3", "--predict", "2", "--routing", "--json");

        assertThat(report.path("routing")).isEmpty();
        assertThat(report.path("routing").isArray()).isTrue();
        assertThat(report.has("logits")).isFalse();
    }

    @Test
    void noNewTokensIsAnAnswerToo() throws IOException {
        for (String[] logits : new String[][] {{}, {"--logits"}}) {
            JsonNode report = json(with(logits, "--model", LLAMA, "--tokens", "1,2,3", "--predict", "0", "--json"));

            assertThat(report.path("tokens")).isEmpty();
            assertThat(report.path("finish").textValue()).isEqualTo("length");
            assertThat(report.path("logits").size()).isEqualTo(logits.length * 264);
            report.path("timing")
                    .forEach(value -> assertThat(value.doubleValue()).isFinite());
            assertThat(report.path("timing").toString()).doesNotContain("NaN", "Infinity");
        }
    }

    @Test
    void endOfSequenceAndStopTextsEndTheAnswer(@TempDir Path folder) throws IOException {
        JsonNode prompt = golden("llama-tiny").path("prompts").get(0);
        List<Integer> greedy = ints(prompt.path("greedy_ids"));
        // A checkpoint whose end of sequence is the fourth token that comes.
        for (String file : List.of("model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Path.of(LLAMA, file), folder.resolve(file));
        }
        ObjectNode config =
                (ObjectNode) JSON.readTree(Path.of(LLAMA, "config.json").toFile());
        JSON.writeValue(folder.resolve("config.json").toFile(), config.put("eos_token_id", greedy.get(3)));
        String[] run = {
            "--model",
            folder.toString(),
            "--tokens",
            list(prompt.path("prompt_ids")),
            "--precision",
            "float32",
            "--json"
        };

        JsonNode ended = json(with(run, "--predict", "20"));
        assertThat(ended.path("finish").textValue()).isEqualTo("eos");
        assertThat(ints(ended.path("tokens"))).isEqualTo(greedy.subList(0, greedy.indexOf(greedy.get(3)) + 1));

        JsonNode whole = json(with(run, "--predict", "20", "--ignore-eos"));
        assertThat(whole.path("finish").textValue()).isEqualTo("length");
        String text = whole.path("text").textValue();
        String stop = text.substring(text.length() / 2, text.length() / 2 + 2);

        JsonNode stopped = json(with(run, "--predict", "20", "--ignore-eos", "--stop", stop));
        assertThat(stopped.path("finish").textValue()).isEqualTo("stop");
        assertThat(stopped.path("text").textValue()).isEqualTo(text.substring(0, text.indexOf(stop)));
    }

    @Test
    void withoutATokenizerTextIsNullAndIdsArePrinted(@TempDir Path folder) throws IOException {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(Path.of(LLAMA, file), folder.resolve(file));
        }
        String tokens = list(golden("llama-tiny").path("prompts").get(0).path("prompt_ids"));
        List<Integer> greedy = ints(golden("llama-tiny").path("prompts").get(0).path("greedy_ids"))
                .subList(0, 3);
        String[] run = {
            "--model", folder.toString(), "--tokens", tokens, "--precision", "float32", "--predict", "3", "--ignore-eos"
        };

        JsonNode report = json(with(run, "--json"));
        assertThat(report.path("text").isNull()).isTrue();
        assertThat(ints(report.path("tokens"))).isEqualTo(greedy);

        Command plain = Command.run(with(new String[] {"run"}, run));
        assertThat(plain.out().strip())
                .isEqualTo(greedy.stream().map(String::valueOf).collect(Collectors.joining(",")));

        Command text = Command.run("run", "--model", folder.toString(), "--prompt", "hello");
        assertFails(text, 1, "has no tokenizer");
    }

    @Test
    void aQuestionIsPutInTheChatTemplate() throws IOException {
        JsonNode chat = golden("llama-tiny").path("chat");
        String question = chat.path("messages")
                .get(chat.path("messages").size() - 1)
                .path("content")
                .textValue();

        JsonNode report = json("--model", LLAMA, "--chat", question, "--predict", "4", "--json");

        List<Integer> whole = ints(chat.path("prompt_ids"));
        List<Integer> sent = ints(report.path("promptTokens"));
        // The recorded conversation may say more before the question; its end is the same.
        assertThat(sent.size()).isGreaterThan(3);
        assertThat(whole.subList(whole.size() - 3, whole.size())).isEqualTo(sent.subList(sent.size() - 3, sent.size()));
    }

    @Test
    void textGoesToStandardOutAndTheSummaryToStandardError() {
        Command command = Command.run("run", "--model", LLAMA, "--prompt", "the", "--predict", "5", "--ignore-eos");

        assertThat(command.exit()).isZero();
        assertThat(command.out()).endsWith(System.lineSeparator());
        assertThat(command.err()).contains("5 new ones (length)").hasLineCount(1);
    }

    @Test
    void aReaderThatIsGoneEndsTheGeneration() {
        Command command = Command.runUntil(
                3, "run", "--model", LLAMA, "--tokens", "1,2,3", "--predict", "100", "--ignore-eos", "--seed", "1");

        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.err())
                .contains("cannot write the output")
                .doesNotContain("100 new ones")
                .hasLineCount(1);
        assertThat(command.out()).hasSizeLessThan(20); // the piece that met nobody was the last one
    }

    @Test
    void aReportThatNobodyReadsIsAFailure() {
        Command command = Command.runUntil(0, "run", "--model", LLAMA, "--tokens", "1,2,3", "--predict", "3", "--json");

        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.err()).contains("cannot write the output").hasLineCount(1);
    }

    /** What espalier-check replays. */
    @Test
    void aRunIsRecorded(@TempDir Path folder) throws IOException {
        Path recording = folder.resolve("recording");
        String[] run = {"--model", LLAMA, "--tokens", "1,2,3", "--predict", "3", "--precision", "float32", "--json"};
        JsonNode report = json(with(run, "--record", recording.toString(), "--with-weights"));
        assertThat(report.path("tokens")).hasSize(3);
        try (Stream<Path> files = Files.list(recording)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("program", "calls", "weights-0");
        }
        assertThat(Files.size(recording.resolve("calls"))).isGreaterThan(3 * 264 * Float.BYTES);
    }

    @Test
    void aPlacementFromAFileIsUsed(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("placement.json");
        Files.writeString(file, "{\"strategy\":\"pipeline\",\"layers\":2,\"shards\":[]}");
        assertFails(
                Command.run("run", "--model", LLAMA, "--tokens", "1", "--placement", file.toString()),
                1,
                "the placement does not fit");
        Files.writeString(
                file,
                "{\"strategy\":\"pipeline\",\"layers\":3,\"shards\":[{\"node\":\"embedded\",\"firstLayer\":0,\"endLayer\":3,"
                        + "\"shares\":{\"width\":{\"from\":0,\"to\":1,\"of\":2}}}]}");
        assertFails(
                Command.run("run", "--model", LLAMA, "--tokens", "1", "--placement", file.toString()),
                1,
                "of the width, part 1 of 2 has no node");
        Files.writeString(
                file,
                "{\"strategy\":\"pipeline\",\"layers\":3,\"shards\":[{\"node\":\"embedded\",\"firstLayer\":0,\"endLayer\":3,"
                        + "\"shares\":{\"experts\":[]}}]}");
        assertFails(
                Command.run("run", "--model", LLAMA, "--tokens", "1", "--placement", file.toString()),
                1,
                "the placement cuts layers into shares (on embedded), and nodes cannot exchange values within a layer yet");
        assertFails(
                Command.run("run", "--model", LLAMA, "--tokens", "1", "--placement", folder + "/none.json"),
                1,
                "none.json");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--model nowhere --tokens 1 | no model nowhere: no such path",
                "--model LLAMA --tokens 1 --engine warp | node embedded has no engine 'warp': it has cpu, mlx, reference",
                "--model LLAMA --tokens 1 --placement spiral | spiral",
                "--model LLAMA --tokens 99999 | 99999",
                "--model LLAMA --tokens -1 | -1",
            })
    void whatFailsIsOneSentence(String arguments, String expected) {
        assertFails(Command.run(run(arguments)), 1, expected);
    }

    @Test
    void aPromptLongerThanTheContextIsRefused() throws IOException {
        int context = JSON.readTree(Path.of(LLAMA, "config.json").toFile())
                .path("max_position_embeddings")
                .intValue();
        String tokens = String.join(",", Collections.nCopies(context + 1, "1"));

        assertFails(
                Command.run("run", "--model", LLAMA, "--tokens", tokens),
                1,
                "the prompt has " + (context + 1) + " tokens, but the model's context holds " + context);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--model LLAMA --tokens 1 --with-weights | add --record",
                "--model LLAMA --tokens 1 --record x --nodes 2 | leave --nodes out",
                "--tokens 1 | Missing required option: '--model=DIR_OR_GGUF'",
                "--model LLAMA | --prompt",
                "--model LLAMA --tokens 1 --prompt x | mutually exclusive",
                "--model LLAMA --tokens 1,x | 'x' is not an int",
                "--model LLAMA --tokens 1 --precision half | float32",
                "--model LLAMA --tokens 1 --nodes 0 | --nodes is 0: choose 1 or more",
                "--model LLAMA --tokens 1 --nodes many | --nodes",
                "--model LLAMA --tokens 1 --threads 5000 | --threads is 5000: choose 0 to 1024",
                "--model LLAMA --tokens 1 --threads -1 | --threads is -1: choose 0 to 1024",
                "--model LLAMA --tokens 1 --logits | add --json",
                "--model LLAMA --tokens 1 --temperature -1 | temperature is -1.0",
                "--model LLAMA --tokens 1 --top-p 2 | top-p is 2.0",
                "--model LLAMA --tokens 1 --predict -5 | maxTokens is -5",
                "--model LLAMA --tokens 1 --speed 3 | Unknown option",
            })
    void misunderstoodOptionsAreUsageErrors(String arguments, String expected) {
        Command command = Command.run(run(arguments));

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.out()).isEmpty();
        assertThat(command.err())
                .containsIgnoringCase(expected)
                .contains("--help")
                .doesNotContain("\tat ");
    }

    private static void assertFails(Command command, int exit, String expected) {
        assertThat(command.exit()).as(command.toString()).isEqualTo(exit);
        assertThat(command.out()).isEmpty();
        assertThat(command.err())
                .startsWith("espalier-node: ")
                .contains(expected)
                .hasLineCount(1);
    }

    private static JsonNode json(String... arguments) throws IOException {
        Command command = Command.run(with(new String[] {"run"}, arguments));
        assertThat(command.exit()).as(command.err()).isZero();
        assertThat(command.out()).hasLineCount(1);
        return JSON.readTree(command.out());
    }

    private static String[] run(String arguments) {
        return with(new String[] {"run"}, arguments.replace("LLAMA", LLAMA).split(" "));
    }

    private static String[] with(String[] first, String... more) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    private static JsonNode golden(String model) throws IOException {
        return JSON.readTree(
                Command.MODELS.resolve(model).resolve("golden.json").toFile());
    }

    private static List<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static List<Integer> ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::intValue)
                .toList();
    }

    private static List<Integer> sorted(JsonNode array) {
        return ints(array).stream().sorted().toList();
    }

    private static String list(JsonNode array) {
        return ints(array).stream().map(String::valueOf).collect(Collectors.joining(","));
    }
}
