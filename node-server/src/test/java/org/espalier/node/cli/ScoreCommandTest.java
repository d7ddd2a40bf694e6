package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.LoadOptions;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.routing.LayerEdit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreCommandTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DEEPSEEK = Command.MODELS.resolve("deepseek_v3-tiny");
    private static final String MODEL = DEEPSEEK.resolve("hf").toString();

    @TempDir
    Path folder;

    @Test
    void oneMoreTokenCostsWhatTransformersLogitsSay() throws IOException {
        JsonNode golden = prompt();
        List<Integer> ids = ids(golden.path("prompt_ids"));
        int next = golden.path("greedy_ids").get(0).intValue();
        List<Integer> longer = new ArrayList<>(ids);
        longer.add(next);

        JsonNode report = score(ids, longer);

        double added = report.path("rows").get(1).path("nats").doubleValue()
                - report.path("rows").get(0).path("nats").doubleValue();
        assertThat(added).isCloseTo(minusLogSoftmax(golden.path("last_logits"), next), within(1e-4));
        assertThat(report.path("tokens").intValue()).isEqualTo(2 * ids.size() - 1);
        assertThat(report.path("nats").doubleValue())
                .isCloseTo(
                        report.path("rows").get(0).path("nats").doubleValue()
                                + report.path("rows").get(1).path("nats").doubleValue(),
                        within(1e-9));
    }

    @Test
    void countsTheExpertsThatTransformersChose() throws IOException {
        JsonNode golden = prompt();
        List<Integer> row = ids(golden.path("prompt_ids"));
        row.add(0); // the last token's own choice is not counted

        JsonNode load = score(row).path("rows").get(0).path("load");

        List<JsonNode> layers = new ArrayList<>();
        golden.path("routing").forEach(layers::add);
        assertThat(load).hasSameSizeAs(layers);
        for (int layer = 0; layer < layers.size(); layer++) {
            int[] expected = new int[16];
            layers.get(layer)
                    .path("expert_ids")
                    .forEach(chosen -> chosen.forEach(expert -> expected[expert.intValue()]++));
            assertThat(JSON.treeToValue(load.get(layer), int[].class)).isEqualTo(expected);
        }
    }

    @Test
    void aTextIsCutIntoWindowsAndEveryByteCounts() throws IOException {
        String text = "The oldest tree of the garden. Größe: 3 m.\n".repeat(5);
        Path file = Files.writeString(folder.resolve("garden.txt"), text);
        Command whole = Command.run("score", "--model", MODEL, "--json", file.toString());
        Command cut = Command.run("score", "--model", MODEL, "--json", "--window", "20", file.toString());

        assertThat(whole.err()).isEmpty();
        JsonNode first = JSON.readTree(whole.out());
        JsonNode second = JSON.readTree(cut.out());
        int tokens = first.path("tokens").intValue();
        assertThat(first.path("rows")).hasSize(1);
        assertThat(second.path("rows")).hasSize((tokens + 18) / 19);
        assertThat(second.path("tokens").intValue()).isEqualTo(tokens);
        assertThat(first.path("bytes").intValue()).isEqualTo(45 * 5);
        assertThat(first.path("bitsPerByte").doubleValue())
                .isCloseTo(first.path("nats").doubleValue() / Math.log(2) / (45 * 5), within(1e-12));
        assertThat(first.has("layers")).isFalse();
    }

    @Test
    void mistakesAreOneSentence() throws IOException {
        Path notRows = Files.writeString(folder.resolve("a.jsonl"), "[1, 2]\nwords\n");
        Path foreign = Files.writeString(folder.resolve("b.jsonl"), "[1, 999999]\n");
        Path single = Files.writeString(folder.resolve("c.jsonl"), "[1]\n");
        Path empty = Files.writeString(folder.resolve("empty.txt"), "");

        assertFails("line 2: an array of token ids was expected", notRows);
        assertFails("token 999999 is not in the vocabulary", foreign);
        assertFails("nothing to predict: give at least 2", single);
        assertFails("is empty: there is nothing to predict", empty);
        assertFails("none.txt: check the path", folder.resolve("none.txt"));
        Path latin = Files.write(folder.resolve("latin.txt"), new byte[] {'f', (byte) 0xfc, 'r'});
        assertFails("latin.txt is not valid UTF-8: convert it first", latin);
    }

    @Test
    void withoutSomeExpertsTheModelScoresAsItsNodesDo() throws IOException {
        List<Integer> row = ids(prompt().path("prompt_ids"));
        int[] tokens = row.stream().mapToInt(Integer::intValue).toArray();
        JsonNode edited = score(List.of("--edit", "2:ban=0,1,2,3:scale=0.5", "--edit", "3:top-k=2"), row);
        int[][] load = JSON.treeToValue(edited.path("rows").get(0).path("load"), int[][].class);
        assertThat(Arrays.copyOf(load[1], 4)).containsOnly(0); // the second MoE layer is layer 2
        assertThat(Arrays.stream(load[2]).sum()).isEqualTo(2 * (tokens.length - 1));

        double bits = edited.path("nats").doubleValue() / Math.log(2);
        try (NodeServer node = NodeServer.start(NodeOptions.loopback("n0"));
                Cluster cluster = Cluster.of(List.of(node.address()))) {
            cluster.load(MODEL, LoadOptions.defaults().withPrecision("float32"));
            LayerEdit[] edits = {
                LayerEdit.of(2).banning(0, 1, 2, 3).scaledBy(0.5),
                LayerEdit.of(3).keeping(2)
            };
            assertThat(bits).isCloseTo(cluster.score(tokens, edits).sum(), within(1e-5));
            assertThat(bits).isNotCloseTo(cluster.score(tokens).sum(), within(1e-2));
        }
    }

    @Test
    void editsAreReadStrictly() throws IOException {
        Path rows = Files.writeString(folder.resolve("rows.jsonl"), "[1, 2]\n");
        refused("it says nothing to do", "5", rows);
        refused("'' is no layer", ":ban=1", rows);
        refused("'-1' is no layer", "-1:ban=1", rows);
        refused("'' has no value", "2:", rows);
        refused("'ban' has no value", "2:ban", rows);
        refused("'' is no expert", "2:ban=", rows);
        refused("'' is no expert", "2:ban=1,,2", rows);
        refused("'1.5' is no expert", "2:ban=1.5", rows);
        refused("it has ban twice", "2:ban=1:ban=2", rows);
        refused("there is no 'drop'", "2:drop=1", rows);
        refused("a token needs at least 1 expert", "2:top-k=0", rows);
        refused("'x' is not a number", "2:scale=x", rows);
        refused("scales by NaN: expected a finite number", "2:scale=NaN", rows);
        fails("the router edit of layer 0: the layers with experts are [1, 2, 3]", rows, "0:ban=1");
        fails("the router edit of layer 2 names expert 16, but the layer has 0 to 15", rows, "2:ban=16");
        fails("the router edit of layer 2 bans and forces the same expert", rows, "2:ban=3:force=3");
        fails("--edit names layer 2 twice: write both in one", rows, "2:ban=3", "--edit", "2:ban=4");
        Command dense = Command.run(
                "score", "--model", Command.MODELS.resolve("llama-tiny/hf").toString(), "--edit", "1:ban=1", rows + "");
        assertThat(dense.exit()).isEqualTo(1);
        assertThat(dense.err()).contains("a router edit was asked for, but the model has no experts");
    }

    private static void refused(String message, String edit, Path rows) {
        Command command = Command.run("score", "--model", MODEL, "--edit=" + edit, rows.toString());
        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains("'" + edit + "': ", message, "; expected LAYER:ban=E,E...");
    }

    private static void fails(String message, Path rows, String... edits) {
        List<String> arguments = new ArrayList<>(List.of("score", "--model", MODEL, "--edit"));
        arguments.addAll(List.of(edits));
        arguments.add(rows.toString());
        Command command = Command.run(arguments.toArray(String[]::new));
        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.err()).contains(message).hasLineCount(1);
    }

    @Test
    void rowsAreReadStrictly() throws IOException {
        for (String line : List.of(
                "[1.7, 2]",
                "[1, null]",
                "[1, 2] [3]",
                "null",
                "",
                "[\"1\", 2]",
                "[1, [2]]",
                "[1, 99999999999]",
                "{}",
                "1")) {
            Path rows = Files.writeString(folder.resolve("rows.jsonl"), "[1, 2]\n" + line + "\n[3, 4]\n");
            assertFails(rows + ", line 2: an array of token ids was expected", rows);
        }
        assertFails("is empty: there is nothing to predict", Files.writeString(folder.resolve("none.jsonl"), ""));
    }

    @Test
    void aReaderThatIsGoneIsAFailure() throws IOException {
        Path rows = Files.writeString(folder.resolve("rows.jsonl"), "[1, 2]\n");
        Command command = Command.runUntil(0, "score", "--model", MODEL, rows.toString());

        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.err()).contains("cannot write the output").hasLineCount(1);
    }

    private void assertFails(String message, Path file) {
        Command command = Command.run("score", "--model", MODEL, file.toString());
        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.out()).isEmpty();
        assertThat(command.err()).contains(message).hasLineCount(1);
    }

    @SafeVarargs
    private JsonNode score(List<Integer>... rows) throws IOException {
        return score(List.of(), rows);
    }

    @SafeVarargs
    private JsonNode score(List<String> options, List<Integer>... rows) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (List<Integer> row : rows) {
            lines.append(row).append('\n');
        }
        Path file = Files.writeString(folder.resolve("rows.jsonl"), lines);
        List<String> arguments = new ArrayList<>(List.of("score", "--model", MODEL, "--json", "--routing"));
        arguments.addAll(options);
        arguments.add(file.toString());
        Command command = Command.run(arguments.toArray(String[]::new));
        assertThat(command.err()).isEmpty();
        return JSON.readTree(command.out());
    }

    private static JsonNode prompt() throws IOException {
        return JSON.readTree(DEEPSEEK.resolve("golden.json").toFile())
                .path("prompts")
                .get(0);
    }

    private static List<Integer> ids(JsonNode array) {
        List<Integer> ids = new ArrayList<>();
        array.forEach(id -> ids.add(id.intValue()));
        return ids;
    }

    private static double minusLogSoftmax(JsonNode logits, int token) {
        double sum = 0;
        for (JsonNode logit : logits) {
            sum += Math.exp(logit.doubleValue());
        }
        return Math.log(sum) - logits.get(token).doubleValue();
    }
}
