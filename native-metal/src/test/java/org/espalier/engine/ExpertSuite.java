package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.espalier.engine.WeightFile.random;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.engine.RouterEdits.LayerEdit;
import org.espalier.program.Activation;
import org.espalier.program.Experts;
import org.espalier.program.Experts.Held;
import org.espalier.program.GatedUnit;
import org.espalier.program.Projection;
import org.espalier.program.Route;
import org.espalier.program.Router;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;

/** Which experts are chosen, which of them a shard computes, and what they add up to. */
abstract class ExpertSuite extends Suite {

    private static final int LAYER = 7;
    private static final int WIDTH = 6;

    private final float[][][] gates = {random(16, 8, WIDTH), random(17, 8, WIDTH), random(18, 8, WIDTH)};
    private final float[][][] ups = {random(19, 8, WIDTH), random(20, 8, WIDTH), random(21, 8, WIDTH)};
    private final float[][][] downs = {random(22, WIDTH, 8), random(23, WIDTH, 8), random(24, WIDTH, 8)};

    ExpertSuite(EngineUnderTest tested) {
        super(tested);
    }

    /** Experts by descending score, of equal ones the lowest first. */
    private static int[] best(Expected[] scores, int k) {
        return IntStream.range(0, scores.length)
                .boxed()
                .sorted((a, b) -> Double.compare(scores[b].value(), scores[a].value()))
                .mapToInt(e -> e)
                .limit(k)
                .toArray();
    }

    private OpBench route(float[][] gate, Router router) {
        OpBench bench = new OpBench(gate[0].length, WIDTH);
        bench.builder().weight("r", new WeightFile(directory).floats(gate));
        return bench.op((in, out) -> new Route(LAYER, in, Projection.of("r"), null, router));
    }

    private static short[] chosen(Routing routing, int row) {
        return Arrays.copyOfRange(routing.experts(), row * routing.width(), (row + 1) * routing.width());
    }

    private static float[] weights(Routing routing, int row) {
        return Arrays.copyOfRange(routing.weights(), row * routing.width(), (row + 1) * routing.width());
    }

    private static RouterEdits edit(Set<Integer> ban, List<Integer> force) {
        return new RouterEdits(Map.of(LAYER, new LayerEdit(ban, force, OptionalInt.empty(), 1)));
    }

    @Test
    void routingIsInFloat32FromTheRowsAsTheyAre() {
        int rows = 64;
        int experts = 16;
        int k = 4;
        float[][] gate = random(15, experts, 24);
        float[][] x = tested.rows(25, rows, 24);
        Router router = new Router(experts, k, Router.Scoring.SOFTMAX, Router.Groups.NONE, true, 2.5f);
        Routing routing = route(gate, router).result(tested, x).step().routing();
        assertThat(routing.layers()).containsExactly(LAYER);
        assertThat(routing.width()).isEqualTo(k);
        float[][] actual = new float[rows][];
        Expected[][] expected = new Expected[rows][k];
        int others = 0;
        for (int t = 0; t < rows; t++) {
            Expected[] scores = Expected.multiply(gate, x[t]);
            int[] best = best(scores, k);
            for (int i = 0; i < k; i++) {
                assertThat(chosen(routing, t)[i])
                        .as("choice %d of row %d", i, t)
                        .isEqualTo((short) best[i]);
            }
            Expected[] shares = Expected.softmax(
                    Arrays.stream(best).mapToObj(e -> scores[e]).toArray(Expected[]::new));
            Arrays.setAll(expected[t], i -> shares[i].times(2.5));
            actual[t] = weights(routing, t);
            Expected[] rounded = Arrays.stream(scores)
                    .map(score -> Expected.of(BFloat16.round((float) score.value())))
                    .toArray(Expected[]::new);
            others += Arrays.equals(best(rounded, k), best) ? 0 : 1;
        }
        assertThat(others)
                .as("rows whose experts or their order bfloat16 scores would change")
                .isPositive();
        tested.differences().compare(Route.class, actual, expected);
    }

    @Test
    void anExpertsOwnScaleMultipliesItsWeightAfterTheDivision() {
        int experts = 8;
        int k = 3;
        float[][] gate = random(26, experts, 12);
        float[][] x = tested.rows(27, 5, 12);
        float[] scale = {0.5f, 1.5f, -1, 2, 0.25f, 3, 1.25f, 0.75f};
        Router router = new Router(experts, k, Router.Scoring.SOFTMAX, Router.Groups.NONE, true, 1);
        OpBench bench = new OpBench(12, WIDTH);
        bench.builder().weight("r", new WeightFile(directory).floats(gate));
        bench.builder().weight("s", new WeightFile(directory).floats(new float[][] {scale}));
        bench.op((in, out) -> new Route(LAYER, in, Projection.of("r"), null, "s", router));
        Routing routing = bench.result(tested, x).step().routing();
        float[][] actual = new float[5][];
        Expected[][] expected = new Expected[5][k];
        for (int t = 0; t < 5; t++) {
            Expected[] scores = Expected.multiply(gate, x[t]);
            int[] best = best(scores, k);
            Expected[] shares = Expected.softmax(
                    Arrays.stream(best).mapToObj(e -> scores[e]).toArray(Expected[]::new));
            Arrays.setAll(expected[t], i -> shares[i].times(scale[best[i]]));
            actual[t] = weights(routing, t);
        }
        tested.differences().compare(Route.class, actual, expected);
    }

    @Test
    void equalScoresGoToTheLowestIndex() {
        float[] same = {0.5f, -0.25f};
        float[][] gate = {{0.25f, 0.25f}, same, {-1, 0}, same, same, {-1, -1}, same, {0, -1}};
        float[][] x = {{1, 1}, {1, 0.5f}, {1, -1}};
        Router router = new Router(8, 3, Router.Scoring.SIGMOID, Router.Groups.NONE, false, 1);
        Routing routing = route(gate, router).result(tested, x).step().routing();
        assertThat(chosen(routing, 0)).containsExactly(0, 1, 3);
        assertThat(chosen(routing, 1)).containsExactly(0, 1, 3);
        assertThat(chosen(routing, 2)).containsExactly(7, 1, 3);
    }

    /** Two groups of two experts, of which one stays. Row 0 prefers experts 2 and 3, row 1 experts 0 and 1. */
    private Routing grouped(RouterEdits edits) {
        float[][] gate = {{-0.25f, 2}, {-0.5f, 1}, {2, -0.5f}, {1, -0.25f}};
        Router router = new Router(
                4, 2, Router.Scoring.SIGMOID, new Router.Groups(2, 1, Router.Groups.Score.TOP2_SUM), false, 1);
        return route(gate, router)
                .edits(edits)
                .result(tested, new float[][] {{1, 0}, {0, 1}})
                .step()
                .routing();
    }

    @Test
    void expertsOfDroppedGroupsAreNeverTaken() {
        Routing routing = grouped(RouterEdits.NONE);
        assertThat(chosen(routing, 0)).containsExactly(2, 3);
        assertThat(chosen(routing, 1)).containsExactly(0, 1);
    }

    @Test
    void aRowEndsWithFewerWhereDroppedGroupsAndBansLeaveFewer() {
        Routing routing = grouped(edit(Set.of(2), List.of()));
        assertThat(routing.width()).isEqualTo(2);
        assertThat(chosen(routing, 0)).containsExactly(3, -1);
        assertThat(weights(routing, 0)[0]).isPositive();
        assertThat(weights(routing, 0)[1]).isZero();
        assertThat(chosen(routing, 1)).containsExactly(0, 1);
    }

    @Test
    void forceOverridesADroppedGroupAndABanOverridesForce() {
        assertThat(chosen(grouped(edit(Set.of(), List.of(1))), 0)).containsExactly(2, 1);
        assertThat(chosen(grouped(edit(Set.of(1), List.of(1))), 0)).containsExactly(2, 3);
    }

    private OpBench experts(List<Held> held) {
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(WIDTH, WIDTH);
        bench.builder().weight("r", file.floats(random(26, 4, WIDTH)));
        for (Map.Entry<String, float[][][]> one :
                Map.of("g", gates, "u", ups, "d", downs).entrySet()) {
            Weight weight = file.floats(one.getValue());
            bench.builder()
                    .weight(
                            one.getKey(),
                            weight.pick(IntStream.range(0, held.size()).boxed().toList()));
        }
        Router router = new Router(4, 2, Router.Scoring.SOFTMAX, Router.Groups.NONE, true, 2.5f);
        bench.op((in, out) -> new Route(LAYER, in, Projection.of("r"), null, router));
        bench.op((in, out) -> new Experts(LAYER, in, held, GatedUnit.of("g", "u", "d", Activation.SILU), out));
        return bench;
    }

    /** @param held by the place of its matrices */
    private Expected[] expected(List<Integer> held, float[] x) {
        Expected[] scores = Expected.multiply(random(26, 4, WIDTH), x);
        int[] best = best(scores, 2);
        Expected[] shares = Expected.softmax(new Expected[] {scores[best[0]], scores[best[1]]});
        Expected[] sum = new Expected[WIDTH];
        Arrays.fill(sum, Expected.ZERO);
        for (int k = 0; k < 2; k++) {
            int index = held.indexOf(best[k]);
            if (index >= 0) {
                Expected weight = shares[k].times(2.5);
                Expected[] y = Expected.mlp(gates[index], ups[index], downs[index], x);
                Arrays.setAll(sum, i -> sum[i].plus(weight.times(y[i])));
            }
        }
        return sum;
    }

    @Test
    void expertsAddUpThoseOfThisShardByTheirWeights() {
        List<Integer> held = List.of(3, 0, 2);
        float[][] x = tested.rows(27, 7, WIDTH);
        float[][] actual = experts(held.stream().map(Held::only).toList()).run(tested, x);
        Expected[][] expected = Arrays.stream(x).map(row -> expected(held, row)).toArray(Expected[][]::new);
        tested.differences().compare(Experts.class, actual, expected);
    }

    /** Of three replicas each computes the rows whose position and layer add up to its number modulo 3. */
    @Test
    void aReplicaComputesItsOwnRowsAndNoOthers() {
        float[][] x = tested.rows(28, 9, WIDTH);
        float[][] sums = new float[9][WIDTH];
        for (int replica = 0; replica < 3; replica++) {
            float[][] part = experts(List.of(new Held(1, replica, 3), new Held(3, replica, 3)))
                    .run(tested, x);
            Expected[][] expected = new Expected[9][];
            for (int t = 0; t < 9; t++) {
                boolean own = (t + LAYER) % 3 == replica;
                expected[t] = expected(own ? List.of(1, 3) : List.of(), x[t]);
                for (int i = 0; i < WIDTH; i++) {
                    sums[t][i] += part[t][i];
                }
            }
            tested.differences().compare(Experts.class, part, expected);
        }
        Expected[][] whole =
                Arrays.stream(x).map(row -> expected(List.of(1, 3), row)).toArray(Expected[][]::new);
        tested.differences().compare(Experts.class, sums, whole);
    }

    @Test
    void anExpertWithoutReplicasIsComputedForEveryRow() {
        float[][] x = tested.rows(29, 6, WIDTH);
        float[][] actual = experts(List.of(new Held(1, 0, 2), Held.only(3))).run(tested, x);
        Expected[][] expected = new Expected[6][];
        Arrays.setAll(expected, t -> expected((t + LAYER) % 2 == 0 ? List.of(1, 3) : List.of(-1, 3), x[t]));
        tested.differences().compare(Experts.class, actual, expected);
    }
}
