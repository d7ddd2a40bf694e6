package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Generation;
import org.espalier.cluster.GenerationListener;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.Prompt;
import org.espalier.cluster.RunningGeneration;
import org.espalier.routing.LayerEdit;
import org.espalier.routing.RoutingTrace;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Interventions in the choice of experts, from the client's options to the trace that comes back. */
class RouterEditsTest {

    private static final String MODEL = Path.of(
                    "..", "models", "src", "test", "resources", "models", "deepseek_v3-tiny", "hf")
            .toString();
    private static final Prompt PROMPT = Prompt.tokens(List.of(5, 17, 3, 40, 8, 21, 33, 2));
    private static final GenerateOptions OPTIONS =
            GenerateOptions.defaults().withMaxTokens(6).ignoringEos().withRouting();

    private static NodeServer node;
    private static Cluster cluster;
    private static RoutingTrace free;
    private static int layer;
    private static int other;
    private static int experts;

    @BeforeAll
    static void load() {
        node = NodeServer.start(NodeOptions.loopback("n0"));
        cluster = Cluster.of(List.of(node.address()));
        cluster.load(MODEL, LoadOptions.defaults().withPrecision("float32"));
        var moe = cluster.model().orElseThrow().architecture().moe().orElseThrow();
        layer = moe.layers().get(1);
        other = moe.layers().get(0);
        experts = moe.count();
        free = trace(cluster);
    }

    @AfterAll
    static void close() {
        cluster.close();
        node.close();
    }

    @Test
    void bannedExpertsAreNeverChosen() {
        Set<Integer> two = Set.of(free.expert(0, layer, 0), free.expert(3, layer, 0));
        RoutingTrace trace = trace(cluster, LayerEdit.of(layer).banning(two));
        assertThat(chosen(free, layer)).containsAnyElementsOf(two);
        assertThat(chosen(trace, layer)).doesNotContainAnyElementsOf(two);
    }

    @Test
    void forcedExpertsAreAlwaysChosen() {
        int rare = IntStream.range(0, experts)
                .filter(expert -> !at(free, 0, layer).contains(expert))
                .findFirst()
                .orElseThrow();
        RoutingTrace trace = trace(cluster, LayerEdit.of(layer).forcing(rare));
        for (int position = 0; position < trace.positions(); position++) {
            assertThat(at(trace, position, layer)).contains(rare).hasSize(free.width());
        }
    }

    @Test
    void anotherNumberOfExpertsConcernsOneLayerAlone() {
        RoutingTrace fewer = trace(cluster, LayerEdit.of(layer).keeping(1));
        RoutingTrace more = trace(cluster, LayerEdit.of(layer).keeping(free.width() + 1));
        for (int position = 0; position < fewer.positions(); position++) {
            assertThat(at(fewer, position, layer)).hasSize(1);
            assertThat(at(fewer, position, other)).hasSize(free.width());
            assertThat(at(more, position, layer)).hasSize(free.width() + 1);
            assertThat(at(more, position, other)).hasSize(free.width());
        }
    }

    @Test
    void aGenerationBesideAWiderOneSeesItsOwnExpertsAlone() {
        GenerateOptions wide =
                OPTIONS.withMaxTokens(40).withEdits(List.of(LayerEdit.of(layer).keeping(experts)));
        RunningGeneration beside = cluster.start(PROMPT, wide, GenerationListener.SILENT);
        RoutingTrace trace = trace(cluster);
        assertThat(trace.width()).isEqualTo(free.width());
        for (int position = 0; position < free.positions(); position++) {
            assertThat(at(trace, position, layer)).isEqualTo(at(free, position, layer));
        }
        assertThat(beside.await().trace().orElseThrow().width()).isEqualTo(experts);
    }

    @Test
    void aScaleMultipliesTheWeights() {
        RoutingTrace half = trace(cluster, LayerEdit.of(layer).scaledBy(0.5));
        for (int place = 0; place < free.width(); place++) {
            assertThat(half.weight(0, layer, place)).isEqualTo(free.weight(0, layer, place) / 2);
        }
    }

    /** The logits of one generation are no numbers; five others run in the same steps. */
    @Test
    void aScaleThatOverflowsEndsItsOwnGenerationAlone() {
        GenerateOptions options = OPTIONS.withMaxTokens(40);
        Generation undisturbed =
                cluster.start(PROMPT, options, GenerationListener.SILENT).await();
        GenerateOptions absurd = options.withEdits(
                List.of(LayerEdit.of(layer).scaledBy(3e38), LayerEdit.of(other).scaledBy(3e38)));
        List<RunningGeneration> others = IntStream.range(0, 5)
                .mapToObj(i -> cluster.start(PROMPT, options, GenerationListener.SILENT))
                .toList();
        RunningGeneration bad = cluster.start(PROMPT, absurd, GenerationListener.SILENT);
        assertThatThrownBy(bad::await)
                .hasMessageContaining("node n0")
                .hasMessageContaining("could not sample")
                .hasMessageContaining("NaN");
        for (RunningGeneration one : others) {
            Generation generation = one.await();
            assertThat(generation.tokens()).isEqualTo(undisturbed.tokens());
            for (int position = 0; position < generation.trace().orElseThrow().positions(); position++) {
                assertThat(at(generation.trace().orElseThrow(), position, layer))
                        .isEqualTo(at(undisturbed.trace().orElseThrow(), position, layer));
            }
        }
    }

    @Test
    void anEditThatChangesNothingChangesNothing() {
        assertThat(generate(cluster, LayerEdit.of(layer)).tokens())
                .isEqualTo(generate(cluster).tokens());
    }

    @Test
    void everyNumberOfNodesGivesTheSame() {
        var layers =
                cluster.model().orElseThrow().architecture().moe().orElseThrow().layers();
        LayerEdit[] edits = layers.stream()
                .map(l -> LayerEdit.of(l).banning(0, 1).keeping(1 + l % 3).scaledBy(1.5))
                .toArray(LayerEdit[]::new);
        Generation one = generate(cluster, edits);
        for (int count = 2; count <= 3; count++) {
            List<NodeServer> nodes = IntStream.range(0, count)
                    .mapToObj(i -> NodeServer.start(NodeOptions.loopback("n" + i)))
                    .toList();
            try (Cluster several =
                    Cluster.of(nodes.stream().map(NodeServer::address).toList())) {
                several.load(MODEL, LoadOptions.defaults().withPrecision("float32"));
                Generation split = generate(several, edits);
                assertThat(split.tokens()).isEqualTo(one.tokens());
                RoutingTrace expected = one.trace().orElseThrow();
                RoutingTrace trace = split.trace().orElseThrow();
                for (int l : layers) {
                    for (int position = 0; position < expected.positions(); position++) {
                        assertThat(at(trace, position, l)).isEqualTo(at(expected, position, l));
                    }
                }
            } finally {
                nodes.forEach(NodeServer::close);
            }
        }
    }

    @Test
    void whatTheModelDoesNotHaveIsRefused() {
        refused("the router edit of layer 0: the layers with experts are [1, 2, 3]", LayerEdit.of(0));
        refused(
                "names expert " + experts + ", but the layer has 0 to " + (experts - 1),
                LayerEdit.of(layer).banning(experts));
        refused("names expert -1", LayerEdit.of(layer).forcing(-1));
        refused("keeps " + (experts + 1) + " experts", LayerEdit.of(layer).keeping(experts + 1));
        refused(
                "forces 2 experts, but a token gets 1: force fewer, or keep more",
                LayerEdit.of(layer).forcing(1, 2).keeping(1));
        refused(
                "bans and forces the same expert",
                LayerEdit.of(layer).forcing(1).banning(1));
        refused(
                "is a duplicate",
                LayerEdit.of(layer).banning(1),
                LayerEdit.of(layer).banning(2));
        assertThatThrownBy(() -> LayerEdit.of(layer).scaledBy(Double.NaN)).hasMessageContaining("scales by NaN");
        assertThatThrownBy(() -> LayerEdit.of(layer).keeping(-1)).hasMessageContaining("keeps -1 experts");
    }

    private static void refused(String message, LayerEdit... edits) {
        assertThatThrownBy(() -> generate(cluster, edits)).hasMessageContaining(message);
    }

    private static Generation generate(Cluster on, LayerEdit... edits) {
        return on.generate(PROMPT, OPTIONS.withEdits(List.of(edits)));
    }

    private static RoutingTrace trace(Cluster on, LayerEdit... edits) {
        return generate(on, edits).trace().orElseThrow();
    }

    /** The experts of a position; places that were not needed hold -1. */
    private static Set<Integer> at(RoutingTrace trace, int position, int layer) {
        Set<Integer> found = new HashSet<>();
        for (int place = 0; place < trace.width(); place++) {
            if (trace.expert(position, layer, place) >= 0) {
                found.add(trace.expert(position, layer, place));
            }
        }
        return found;
    }

    private static Set<Integer> chosen(RoutingTrace trace, int layer) {
        Set<Integer> found = new HashSet<>();
        for (int position = 0; position < trace.positions(); position++) {
            found.addAll(at(trace, position, layer));
        }
        return found;
    }
}
