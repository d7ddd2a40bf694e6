package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Generation;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.Prompt;
import org.espalier.model.ModelCatalogue;
import org.espalier.model.ModelNotFoundException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SmolLM2-135M answers on one node and on three what transformers answers, token by token. */
class SmolLm2RealWeightsIT {

    private static final Path GOLDEN = Path.of("..", "..", "shared", "golden", "smollm2", "golden.json");

    /** The reference engine makes about 10 tokens/s here; answers without an early end are compared so far. */
    private static final int COMPARED = 16;

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void answersAsTransformers(int count) throws Exception {
        assumeTrue(Files.exists(GOLDEN), "../shared/golden is not beside the repository, or not whole");
        List<NodeServer> nodes = IntStream.range(0, count)
                .mapToObj(i -> NodeServer.start(NodeOptions.loopback("n" + i)))
                .toList();
        try (Cluster cluster =
                Cluster.of(nodes.stream().map(NodeServer::address).toList())) {
            cluster.load(model(), LoadOptions.defaults().withPrecision("float32"));
            for (JsonNode golden : new ObjectMapper().readTree(GOLDEN.toFile()).get("prompts")) {
                answers(cluster, golden);
            }
        } finally {
            nodes.forEach(NodeServer::close);
        }
    }

    private static void answers(Cluster cluster, JsonNode golden) {
        List<Prompt.Message> messages = StreamSupport.stream(
                        golden.get("messages").spliterator(), false)
                .map(message -> new Prompt.Message(
                        message.get("role").asText(), message.get("content").asText()))
                .toList();
        Generation generation = cluster.generate(
                new Prompt.Chat(messages), GenerateOptions.defaults().withMaxTokens(COMPARED));
        assertThat(generation.promptTokens()).isEqualTo(ints(golden.get("prompt_ids")));
        JsonNode eos = golden.path("first_eos_index");
        boolean ends = eos.isInt() && eos.asInt() < COMPARED;
        List<Integer> expected = ints(golden.get("greedy_ids")).subList(0, ends ? eos.asInt() + 1 : COMPARED);
        assertThat(generation.tokens()).isEqualTo(expected);
        assertThat(generation.finish()).isEqualTo(ends ? Generation.Finish.EOS : Generation.Finish.LENGTH);
        if (ends) {
            assertThat(generation.text())
                    .contains(golden.get("greedy_text_before_eos").asText());
        }
    }

    private static String model() {
        try {
            return ModelCatalogue.restrictedTo(List.of(Path.of("..", "notebooks", "models")))
                    .resolve("smollm2")
                    .toString();
        } catch (ModelNotFoundException e) {
            assumeTrue(false, "SmolLM2 is not here: run ./notebooks/lab --setup");
            throw e;
        }
    }

    private static List<Integer> ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asInt)
                .toList();
    }
}
