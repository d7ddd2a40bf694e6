package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Generation;
import org.espalier.cluster.GenerationListener;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.Prompt;
import org.espalier.routing.RoutingTrace;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tiny real models through the whole way, client to nodes and back: transformers' and mlx-lm's results, and the bits of one node. */
class GoldenRingTest {

    /** As in models' ArchitectureGoldenTest, which says why: the way through the ring adds nothing. */
    private static final double LOGITS = 2e-4;

    private static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models");

    private static final Pattern DENSE = Pattern.compile("llama|gemma3");

    @ParameterizedTest
    @CsvSource({
        "llama-tiny, hf, golden.json, 1",
        "llama-tiny, hf, golden.json, 2",
        "llama_gguf-tiny, gguf/model.gguf, golden.json, 1",
        "llama_gguf-tiny, gguf/model.gguf, golden.json, 2",
        "deepseek_v3-tiny, hf, golden.json, 1",
        "deepseek_v3-tiny, hf, golden.json, 2",
        "deepseek_v3-tiny, hf, golden.json, 3",
        "deepseek_v3-tiny, mlx4, golden_mlx4.json, 1",
        "deepseek_v3-tiny, mlx4, golden_mlx4.json, 3",
        "gemma3_text-tiny, hf, golden.json, 2",
        "qwen35moe_gguf-tiny, gguf/model.gguf, golden.json, 3",
        "glm-dsa_gguf-tiny, gguf/model.gguf, golden.json, 3", // two of them: layer 1 shares layer 0's indexer
    })
    void equalsTheReference(String model, String layout, String golden, int count) throws Exception {
        JsonNode expected = new ObjectMapper()
                .readTree(MODELS.resolve(model).resolve(golden).toFile());
        Path path = MODELS.resolve(model).resolve(layout);
        List<Generation> alone = generate(path, expected, 1);
        List<Generation> found = count == 1 ? alone : generate(path, expected, count);
        int next = 0;
        for (JsonNode prompt : expected.get("prompts")) {
            Generation generation = found.get(next++);
            assertThat(generation.tokens()).isEqualTo(ints(prompt.get("greedy_ids")));
            float[] logits = generation.promptLogits().orElseThrow();
            for (int i = 0; i < logits.length; i++) {
                assertThat((double) logits[i])
                        .isCloseTo(prompt.get("last_logits").get(i).asDouble(), within(LOGITS));
            }
            assertThat(generation.trace().isPresent())
                    .isEqualTo(!DENSE.matcher(model).lookingAt());
            if (!prompt.get("routing").isNull()) {
                routing(generation.trace().orElseThrow(), prompt.get("routing"));
            }
        }
        for (int i = 0; i < alone.size(); i++) {
            assertSameBits(found.get(i), alone.get(i));
        }
    }

    /** All prompts on a ring of so many nodes; the chat is checked on the way. */
    private static List<Generation> generate(Path path, JsonNode golden, int count) {
        List<Generation> generations = new ArrayList<>();
        List<NodeServer> nodes = IntStream.range(0, count)
                .mapToObj(i -> NodeServer.start(NodeOptions.loopback("n" + i)))
                .toList();
        try (Cluster cluster =
                Cluster.of(nodes.stream().map(NodeServer::address).toList())) {
            cluster.load(path.toString(), LoadOptions.defaults().withPrecision("float32"));
            for (JsonNode prompt : golden.get("prompts")) {
                generations.add(cluster.generate(
                        Prompt.tokens(ints(prompt.get("prompt_ids"))),
                        GenerateOptions.defaults()
                                .withMaxTokens(prompt.get("greedy_ids").size())
                                .ignoringEos()
                                .withRouting()
                                .withPromptLogits()));
            }
            chat(cluster, golden.get("chat"));
        } finally {
            nodes.forEach(NodeServer::close);
        }
        return generations;
    }

    /** A ring hands on the float32 values that one node keeps: every bit is the same as on one node. */
    private static void assertSameBits(Generation found, Generation alone) {
        assertThat(found.tokens()).isEqualTo(alone.tokens());
        assertThat(bits(found.promptLogits().orElseThrow()))
                .isEqualTo(bits(alone.promptLogits().orElseThrow()));
        assertThat(found.trace().isPresent()).isEqualTo(alone.trace().isPresent());
        found.trace().ifPresent(trace -> {
            RoutingTrace expected = alone.trace().orElseThrow();
            assertThat(trace.layers()).isEqualTo(expected.layers());
            assertThat(trace.positions()).isEqualTo(expected.positions());
            for (int position = 0; position < trace.positions(); position++) {
                for (int layer : trace.layers()) {
                    for (int place = 0; place < trace.width(); place++) {
                        assertThat(trace.expert(position, layer, place))
                                .isEqualTo(expected.expert(position, layer, place));
                        assertThat(trace.weight(position, layer, place))
                                .isEqualTo(expected.weight(position, layer, place));
                    }
                }
            }
        });
    }

    private static int[] bits(float[] values) {
        return IntStream.range(0, values.length)
                .map(i -> Float.floatToRawIntBits(values[i]))
                .toArray();
    }

    private static void chat(Cluster cluster, JsonNode expected) {
        List<Prompt.Message> messages = StreamSupport.stream(
                        expected.get("messages").spliterator(), false)
                .map(message -> new Prompt.Message(
                        message.get("role").asText(), message.get("content").asText()))
                .toList();
        StringBuilder shown = new StringBuilder();
        Generation generation = cluster.generate(
                new Prompt.Chat(messages),
                GenerateOptions.defaults()
                        .withMaxTokens(expected.get("greedy_ids").size())
                        .ignoringEos(),
                new GenerationListener() {
                    @Override
                    public void onText(String piece) {
                        shown.append(piece);
                    }
                });
        assertThat(generation.promptTokens()).isEqualTo(ints(expected.get("prompt_ids")));
        assertThat(generation.tokens()).isEqualTo(ints(expected.get("greedy_ids")));
        assertThat(generation.text()).isEqualTo(shown.toString());
        assertThat(shown.toString()).isEqualTo(expected.get("greedy_text").asText());
    }

    /** The golden decisions are of the prompt's positions, experts ascending. */
    private static void routing(RoutingTrace trace, JsonNode expected) {
        for (int layer : trace.layers()) {
            JsonNode golden = expected.get(String.valueOf(layer));
            for (int position = 0; position < golden.get("expert_ids").size(); position++) {
                List<Integer> places = new ArrayList<>();
                for (int place = 0; place < trace.width(); place++) {
                    places.add(place);
                }
                int p = position;
                places.sort((a, b) -> trace.expert(p, layer, a) - trace.expert(p, layer, b));
                assertThat(places.stream().map(place -> trace.expert(p, layer, place)))
                        .isEqualTo(ints(golden.get("expert_ids").get(position)));
                for (int i = 0; i < trace.width(); i++) {
                    assertThat((double) trace.weight(position, layer, places.get(i)))
                            .isCloseTo(
                                    golden.get("weights").get(position).get(i).asDouble(), within(1e-4));
                }
            }
        }
    }

    private static List<Integer> ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asInt)
                .toList();
    }
}
