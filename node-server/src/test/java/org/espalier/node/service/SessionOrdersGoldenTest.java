package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.LoadOptions;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.v1.GenerateRequest;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Cutting and forking sessions of real models: what transformers computes comes out, whatever was cut off and computed again. */
class SessionOrdersGoldenTest {

    private static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models");

    /** Mistral's layers see 16 rows and so keep 80; a session of more cannot be truncated to its beginning. */
    @ParameterizedTest
    @CsvSource({
        "llama-tiny, 2, false",
        "deepseek_v3-tiny, 3, false",
        "mistral-tiny, 1, true",
        "mistral-tiny, 2, true",
        "mistral-tiny, 3, true"
    })
    void theGoldenTokensComeOut(String model, int count, boolean windowed) throws Exception {
        JsonNode prompt = new ObjectMapper()
                .readTree(MODELS.resolve(model).resolve("golden.json").toFile())
                .path("prompts")
                .get(1);
        List<Integer> ids = ints(prompt.path("prompt_ids"));
        List<Integer> greedy = ints(prompt.path("greedy_ids"));
        List<NodeServer> nodes = IntStream.range(0, count)
                .mapToObj(i -> NodeServer.start(NodeOptions.loopback("n" + i)))
                .toList();
        try (Cluster cluster =
                Cluster.of(nodes.stream().map(NodeServer::address).toList())) {
            Deployment deployment = cluster.load(
                    MODELS.resolve(model).resolve("hf").toString(),
                    LoadOptions.defaults().withPrecision("float32"));
            RingMember head = nodes.get(0).member(deployment.id(), deployment.epoch());
            CompletableFuture<Long> session = new CompletableFuture<>();
            List<CompletableFuture<Void>> cuts = new ArrayList<>();
            Heard forked = new Heard();
            List<Integer> start = new ArrayList<>(ids);
            start.addAll(greedy.subList(0, 5));
            Heard heard = new Heard()
                    .at(2, () -> cuts.add(head.truncate(session.join(), ids.size() - 30)))
                    .at(5, () -> cuts.add(head.truncate(session.join(), ids.size() + 1)))
                    .at(
                            7,
                            () -> head.fork(
                                    session.join(),
                                    ids.size() + 3,
                                    request(start, greedy.size() - 5),
                                    "client",
                                    forked.replies()))
                    .at(22, () -> cuts.add(head.truncate(session.join(), 10)));
            session.complete(head.generate(request(ids, greedy.size()), "client", heard.replies()));

            heard.all();
            forked.all();
            assertThat(heard.tokens()).isEqualTo(greedy);
            assertThat(forked.tokens()).isEqualTo(greedy.subList(5, greedy.size()));
            cuts.get(0).get(20, TimeUnit.SECONDS);
            cuts.get(1).get(20, TimeUnit.SECONDS);
            if (windowed) {
                assertThatThrownBy(() -> cuts.get(2).get(20, TimeUnit.SECONDS))
                        .hasMessageContaining("node n0 (" + nodes.get(0).address() + "): session ")
                        .hasMessageContaining(
                                "cannot be truncated to 10: layers with a sliding window keep only 64 rows beyond it");
            } else {
                cuts.get(2).get(20, TimeUnit.SECONDS);
            }
        } finally {
            nodes.forEach(NodeServer::close);
        }
    }

    /** Layers with a state go back only to where they were asked to keep it, on every node. */
    @ParameterizedTest
    @CsvSource({"1", "2", "3"})
    void statesGoBackToTheirSnapshots(int count) throws Exception {
        Path model = Path.of("..", "..", "shared", "golden", "models", "qwen3_next");
        assumeTrue(Files.isDirectory(model), "../shared/golden is not beside the repository, or not whole");
        JsonNode prompt = new ObjectMapper()
                .readTree(model.resolve("golden.json").toFile())
                .path("prompts")
                .get(1);
        List<Integer> ids = ints(prompt.path("prompt_ids"));
        List<Integer> greedy = ints(prompt.path("greedy_ids"));
        List<NodeServer> nodes = IntStream.range(0, count)
                .mapToObj(i -> NodeServer.start(NodeOptions.loopback("n" + i)))
                .toList();
        try (Cluster cluster =
                Cluster.of(nodes.stream().map(NodeServer::address).toList())) {
            Deployment deployment = cluster.load(
                    model.resolve("hf").toString(), LoadOptions.defaults().withPrecision("float32"));
            RingMember head = nodes.get(0).member(deployment.id(), deployment.epoch());
            CompletableFuture<Long> session = new CompletableFuture<>();
            List<CompletableFuture<Void>> cuts = new ArrayList<>();
            Heard forked = new Heard();
            List<Integer> start = new ArrayList<>(ids);
            start.addAll(greedy.subList(0, 5));
            Heard heard = new Heard()
                    .at(3, () -> cuts.add(head.truncate(session.join(), ids.size() - 30)))
                    .at(5, () -> cuts.add(head.truncate(session.join(), ids.size())))
                    .at(
                            9,
                            () -> head.fork(
                                    session.join(),
                                    ids.size() + 4,
                                    request(start, greedy.size() - 5),
                                    "client",
                                    forked.replies()))
                    .at(12, () -> cuts.add(head.truncate(session.join(), ids.size() + 3)));
            GenerateRequest asked = request(ids, greedy.size()).toBuilder()
                    .addSnapshots(ids.size() - 30)
                    .addSnapshots(ids.size())
                    .addSnapshots(ids.size() + 4)
                    .build();
            session.complete(head.generate(asked, "client", heard.replies()));

            heard.all();
            forked.all();
            assertThat(heard.tokens()).isEqualTo(greedy);
            assertThat(forked.tokens()).isEqualTo(greedy.subList(5, greedy.size()));
            cuts.get(0).get(20, TimeUnit.SECONDS);
            cuts.get(1).get(20, TimeUnit.SECONDS);
            assertThatThrownBy(() -> cuts.get(2).get(20, TimeUnit.SECONDS))
                    .hasMessageContaining("cannot be truncated to " + (ids.size() + 3)
                            + ": layers with a state can go back only to nothing or to a snapshot, and there is one at "
                            + (ids.size() - 30) + ", " + ids.size() + ", " + (ids.size() + 4));
        } finally {
            nodes.forEach(NodeServer::close);
        }
    }

    private static GenerateRequest request(List<Integer> prompt, int maxTokens) {
        return GenerateRequest.newBuilder()
                .setClient("test")
                .addAllPrompt(prompt)
                .setMaxTokens(maxTokens)
                .build();
    }

    private static List<Integer> ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asInt)
                .toList();
    }
}
