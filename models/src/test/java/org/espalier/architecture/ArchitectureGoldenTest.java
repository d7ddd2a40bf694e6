package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.espalier.engine.Engine;
import org.espalier.engine.Routing;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.model.Model;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole models against the results of transformers and mlx-lm, in one shard and split. */
class ArchitectureGoldenTest {

    /** Independent implementations are within 4.2e-5 of each other; seeds were chosen so that ids leave no doubt. */
    private static final float LOGITS = 2e-4f;

    private static final float WEIGHTS = 1e-4f;
    private static final Engine ENGINE = new ReferenceEngine();

    @AfterAll
    static void closeEngine() {
        ENGINE.close();
    }

    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#tiny")
    void computesWhatOthersCompute(GoldenModel golden) {
        Model model = golden.open();
        check(ENGINE, golden, model, model.architecture().layers());
    }

    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#tiny")
    void aSplitChangesNothing(GoldenModel golden) {
        Model model = golden.open();
        int layers = model.architecture().layers();
        int[] beginnings = IntStream.range(1, layers)
                .filter(model.architecture().joinedLayers()::mayBegin)
                .limit(2)
                .toArray();
        checkSplit(ENGINE, golden, model, beginnings[0], layers);
        if (beginnings.length == 2) {
            checkSplit(ENGINE, golden, model, beginnings[0], beginnings[1], layers);
        }
    }

    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#shared")
    void computesWhatOthersComputeBesideTheRepository(GoldenModel golden) {
        Model model = golden.open();
        check(ENGINE, golden, model, model.architecture().layers());
        check(ENGINE, golden, model, 1, model.architecture().layers());
    }

    /** The program of the first n layers yields the residual stream after layer n - 1: where a wrong layer shows itself. */
    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#shared")
    void everyLayerYieldsTheSameResidualStream(GoldenModel golden) {
        Model model = golden.open();
        for (GoldenModel.Golden prompt : golden.prompts()) {
            prompt.json().path("layer_outputs_last").fields().forEachRemaining(layer -> {
                int end = Integer.parseInt(layer.getKey()) + 1;
                if (end < model.architecture().layers()) { // the last one's comes out normed, as logits
                    assertClose(
                            golden + " layer " + layer.getKey(),
                            LayerOutput.last(model, ENGINE, end, prompt.ids("prompt_ids")),
                            GoldenModel.Golden.floats(layer.getValue()),
                            LOGITS);
                }
            });
        }
    }

    static void check(Engine engine, GoldenModel golden, Model model, int... ends) {
        for (GoldenModel.Golden prompt : golden.prompts()) {
            try (Run run = new Run(model, engine, ends)) {
                String what = golden + " in " + ends.length + " shards";
                float[] logits = run.step(prompt.ids("prompt_ids"));
                checkRouting(what, run.routing, prompt.routing());
                assertClose(what + ": logits", logits, prompt.numbers("last_logits"), LOGITS);
                int[] expected = prompt.ids("greedy_ids");
                assertThat(run.greedy(logits, expected.length))
                        .as(what + ": greedy ids")
                        .containsExactly(expected);
            }
        }
    }

    /** Shards hand on the float32 values that one shard keeps: every bit is the same as in one shard. */
    static void checkSplit(Engine engine, GoldenModel golden, Model model, int... ends) {
        for (GoldenModel.Golden prompt : golden.prompts()) {
            try (Run whole = new Run(model, engine, model.architecture().layers());
                    Run split = new Run(model, engine, ends)) {
                int[] next = prompt.ids("prompt_ids");
                for (int greedy : prompt.ids("greedy_ids")) {
                    float[] expected = whole.step(next);
                    float[] found = split.step(next);
                    String what = golden + " in " + ends.length + " shards: ";
                    assertThat(bits(found)).as(what + "bits of the logits").isEqualTo(bits(expected));
                    assertThat(decisions(split.routing)).as(what + "routing").isEqualTo(decisions(whole.routing));
                    next = new int[] {greedy};
                }
            }
        }
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    /** Layer, experts and gate weights of each layer, whichever shard has it. */
    private static List<String> decisions(List<Routing> shards) {
        List<String> layers = new ArrayList<>();
        for (Routing routing : shards) {
            int size = routing.rows() * routing.width();
            for (int l = 0; l < routing.layers().length; l++) {
                layers.add(routing.layers()[l]
                        + Arrays.toString(Arrays.copyOfRange(routing.experts(), l * size, (l + 1) * size))
                        + Arrays.toString(Arrays.copyOfRange(routing.weights(), l * size, (l + 1) * size)));
            }
        }
        return layers;
    }

    private static void checkRouting(String what, List<Routing> shards, JsonNode golden) {
        golden.fields().forEachRemaining(layer -> {
            JsonNode ids = layer.getValue().isArray()
                    ? layer.getValue()
                    : layer.getValue().path("expert_ids");
            JsonNode weights = layer.getValue().path("weights");
            Map<Integer, float[]> found = byPosition(shards, Integer.parseInt(layer.getKey()));
            for (int position = 0; position < ids.size(); position++) {
                String where = what + ": layer " + layer.getKey() + ", position " + position;
                Map<Integer, Float> chosen = new TreeMap<>();
                float[] decisions = found.get(position);
                for (int k = 0; k < decisions.length; k += 2) {
                    chosen.put((int) decisions[k], decisions[k + 1]);
                }
                assertThat(new ArrayList<>(chosen.keySet())).as(where).isEqualTo(ints(ids.get(position)));
                if (weights.isArray()) {
                    float[] values = new float[chosen.size()];
                    int next = 0;
                    for (float weight : chosen.values()) {
                        values[next++] = weight;
                    }
                    assertClose(where, values, GoldenModel.Golden.floats(weights.get(position)), WEIGHTS);
                }
            }
        });
    }

    /** Of one layer: expert, weight, expert, weight ... at each position. */
    private static Map<Integer, float[]> byPosition(List<Routing> shards, int layer) {
        Map<Integer, float[]> positions = new TreeMap<>();
        for (Routing routing : shards) {
            for (int l = 0; l < routing.layers().length; l++) {
                for (int row = 0; routing.layers()[l] == layer && row < routing.rows(); row++) {
                    float[] decisions = new float[2 * routing.width()];
                    for (int k = 0; k < routing.width(); k++) {
                        int at = (l * routing.rows() + row) * routing.width() + k;
                        decisions[2 * k] = routing.experts()[at];
                        decisions[2 * k + 1] = routing.weights()[at];
                    }
                    positions.put(row, decisions);
                }
            }
        }
        return positions;
    }

    private static List<Integer> ints(JsonNode array) {
        List<Integer> ints = new ArrayList<>();
        array.forEach(value -> ints.add(value.intValue()));
        return ints;
    }

    private static void assertClose(String what, float[] found, float[] expected, float limit) {
        assertThat(found).as(what).hasSameSizeAs(expected);
        float worst = 0;
        for (int i = 0; i < found.length; i++) {
            worst = Math.max(worst, Math.abs(found[i] - expected[i]));
        }
        assertThat(worst).as(what + ": greatest difference").isCloseTo(0, within(limit));
    }
}
