package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.model.Model;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Experts;
import org.espalier.program.Plan;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.slice.Share;
import org.espalier.slice.SliceGroup;
import org.espalier.weights.FileRanges;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Layers that nodes share compute what one node computes: logits within 1e-4, the same tokens and experts, gate weights within 1e-5; and the nodes of a
 * group have the same bits, which {@link GroupRun} compares. Only sums are added up in another order.
 */
class SlicedGoldenTest {

    private static final float LOGITS = 1e-4f;
    private static final float WEIGHTS = 1e-5f;
    private static final int DECODED = 4;

    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#tiny")
    void slicesOfTheRepositorysModels(GoldenModel golden) {
        Model model = golden.open();
        compare(
                model.architecture(),
                model.checkpoint(),
                golden.prompts().get(0).ids("prompt_ids"));
    }

    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#shared")
    void slicesOfModelsBesideTheRepository(GoldenModel golden) {
        Model model = golden.open();
        compare(
                model.architecture(),
                model.checkpoint(),
                golden.prompts().get(0).ids("prompt_ids"));
    }

    /** Heads, widths and groups that do not divide evenly, biases and sinks. */
    @ParameterizedTest
    @EnumSource(SeededModel.class)
    void slicesOfUnevenSizes(SeededModel seeded, @TempDir Path directory) {
        Checkpoint checkpoint = seeded.checkpoint(directory);
        compare(seeded.architecture(), checkpoint, 3, 14, 15, 92, 65, 35, 89);
    }

    private static void compare(Architecture architecture, Checkpoint checkpoint, int... prompt) {
        List<GroupRun.Result> expected = new ArrayList<>();
        List<int[]> steps = steps(prompt);
        try (GroupRun whole =
                run(architecture, checkpoint, List.of(SliceGroup.alone(LayerRange.whole(architecture.layers()))))) {
            for (int i = 0; i < 2 + DECODED; i++) {
                expected.add(whole.step(new Cancel(), untouched(), wanted(i), steps.get(i)));
                if (i > 0) {
                    steps.add(new int[] {greatest(expected.get(i).logits())});
                }
            }
        }
        Placements.of(architecture).forEach((name, groups) -> {
            try (GroupRun sliced = run(architecture, checkpoint, groups)) {
                for (int i = 0; i < expected.size(); i++) {
                    GroupRun.Result found = sliced.step(new Cancel(), untouched(), wanted(i), steps.get(i));
                    String what = name + ", step " + i;
                    compare(what, found, expected.get(i));
                    if (name.startsWith("experts")) {
                        List<LoadedProgram> group = sliced.programs().get(0);
                        checkExecuted(what, group, found.routing().get(0), length(steps, i));
                    }
                }
            }
        });
    }

    /** The prompt in two chunks, of which the first wants no logits. */
    private static List<int[]> steps(int... prompt) {
        int cut = (prompt.length + 1) / 2;
        return new ArrayList<>(List.of(Arrays.copyOf(prompt, cut), Arrays.copyOfRange(prompt, cut, prompt.length)));
    }

    private static Step.Logits wanted(int step) {
        return step == 0 ? Step.Logits.NONE : Step.Logits.LAST;
    }

    private static int length(List<int[]> steps, int before) {
        return steps.subList(0, before).stream().mapToInt(step -> step.length).sum();
    }

    private static GroupRun run(Architecture architecture, Checkpoint checkpoint, List<SliceGroup> groups) {
        return new GroupRun(architecture, checkpoint, groups);
    }

    private static GroupRun.Interference untouched() {
        return (exchange, group, rank) -> exchange;
    }

    private static void compare(String what, GroupRun.Result found, GroupRun.Result expected) {
        assertThat(found.logits() == null).as(what + ": no logits").isEqualTo(expected.logits() == null);
        if (expected.logits() != null) {
            assertClose(what + ": logits", found.logits(), expected.logits(), LOGITS);
            assertThat(greatest(found.logits())).as(what + ": token").isEqualTo(greatest(expected.logits()));
        }
        Decisions theirs = Decisions.of(expected.routing());
        Decisions ours = Decisions.of(found.routing());
        assertThat(ours.layers).as(what + ": routed layers").isEqualTo(theirs.layers);
        assertThat(ours.experts).as(what + ": experts").isEqualTo(theirs.experts);
        assertClose(what + ": gate weights", ours.weights(), theirs.weights(), WEIGHTS);
    }

    /** The decisions of all groups, one layer after the other. */
    private record Decisions(List<Integer> layers, List<Integer> experts, List<Float> all) {
        static Decisions of(List<Routing> groups) {
            Decisions decisions = new Decisions(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            for (Routing routing : groups) {
                IntStream.of(routing.layers()).forEach(decisions.layers::add);
                for (int i = 0; i < routing.experts().length; i++) {
                    decisions.experts.add((int) routing.experts()[i]);
                    decisions.all.add(routing.weights()[i]);
                }
            }
            return decisions;
        }

        float[] weights() {
            float[] weights = new float[all.size()];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = all.get(i);
            }
            return weights;
        }
    }

    /**
     * Where experts are placed whole, those that a group's nodes execute for a row are those chosen, each once.
     *
     * @param position of the step's first row
     */
    private static void checkExecuted(String what, List<LoadedProgram> group, Routing routing, int position) {
        for (int l = 0; l < routing.layers().length; l++) {
            int layer = routing.layers()[l];
            List<Experts.Held> held = group.stream()
                    .flatMap(node -> node.program().ops().stream())
                    .filter(op -> op instanceof Experts experts && experts.layer() == layer)
                    .flatMap(op -> ((Experts) op).held().stream())
                    .toList();
            for (int row = 0; row < routing.rows(); row++) {
                int from = (l * routing.rows() + row) * routing.width();
                int place = position + row;
                List<Integer> chosen = IntStream.range(from, from + routing.width())
                        .mapToObj(i -> (int) routing.experts()[i])
                        .sorted()
                        .toList();
                List<Integer> executed = held.stream()
                        .filter(one -> chosen.contains(one.expert()) && one.computes(place, layer))
                        .map(Experts.Held::expert)
                        .sorted()
                        .toList();
                assertThat(executed)
                        .as(what + ": layer " + layer + ", position " + place)
                        .isEqualTo(chosen);
            }
        }
    }

    /** Nodes that executed no expert for a row add zeros there, and the others do not. */
    private static GroupRun.Interference seeing(Map<Integer, float[]> contributions) {
        return (exchange, group, rank) -> new Exchange() {
            @Override
            public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
                exchange.begin(op, values, cancel);
                float[] row = new float[op.view().width()];
                values.duplicate()
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .get(row);
                synchronized (contributions) {
                    contributions.put(rank, row);
                }
            }

            @Override
            public Outcome await(int id) {
                return exchange.await(id);
            }
        };
    }

    /** One token after the other: whether a node adds anything in the last layer is whether it executes a chosen expert. */
    @Test
    void nodesWithoutAChosenExpertAddZeros() {
        Model model = GoldenModel.tiny("deepseek_v3-tiny/hf").open();
        int layers = model.architecture().layers();
        SliceGroup group = Placements.experts(LayerRange.whole(layers), 16, 5, Share.WHOLE);
        int idle = 0;
        try (GroupRun run = new GroupRun(model.architecture(), model.checkpoint(), List.of(group))) {
            for (int position = 0; position < 12; position++) {
                Map<Integer, float[]> last = new TreeMap<>();
                Routing routing = run.step(new Cancel(), seeing(last), Step.Logits.NONE, 3 * position)
                        .routing()
                        .get(0);
                int from = (routing.layers().length - 1) * routing.width();
                for (int rank = 0; rank < group.size(); rank++) {
                    int place = position;
                    boolean executes = group.slices().get(rank).shares().experts().orElseThrow().stream()
                            .filter(held -> held.computes(place, layers - 1))
                            .anyMatch(held -> IntStream.range(from, from + routing.width())
                                    .anyMatch(i -> routing.experts()[i] == held.expert()));
                    boolean adds = any(last.get(rank));
                    assertThat(adds)
                            .as("node " + rank + " at position " + position)
                            .isEqualTo(executes);
                    idle += executes ? 0 : 1;
                }
            }
        }
        assertThat(idle).isPositive();
    }

    private static boolean any(float[] values) {
        for (float value : values) {
            if (value != 0) {
                return true;
            }
        }
        return false;
    }

    /** Whatever node is cancelled and whichever exchange fails: all sessions stay as they were, and the step can be run again. */
    @Test
    void aStepThatEndsEarlyLeavesEverySessionAsItWas() {
        Model model = GoldenModel.tiny("deepseek_v3-tiny/hf").open();
        LayerRange all = LayerRange.whole(model.architecture().layers());
        SliceGroup group = Placements.experts(all, 16, 3, null);
        try (GroupRun run = new GroupRun(model.architecture(), model.checkpoint(), List.of(group))) {
            run.step(1, 2, 3);
            Cancel set = new Cancel();
            set.set();
            assertThatThrownBy(() -> run.step(set, untouched(), Step.Logits.LAST, 4, 5))
                    .hasCauseInstanceOf(CancelledException.class)
                    .satisfies(error -> assertThat(error.getSuppressed())
                            .hasSize(3)
                            .allMatch(CancelledException.class::isInstance));
            assertThat(lengths(run)).containsExactly(3, 3, 3);
            int exchanges = exchanges(run);
            assertThat(exchanges).isGreaterThan(2 * all.all());
            for (int fails = 0; fails < exchanges; fails++) {
                int number = fails;
                assertThatThrownBy(() -> run.step(new Cancel(), failing(number % 3, number), Step.Logits.LAST, 4, 5))
                        .satisfies(error -> assertThat(error.getSuppressed()).hasSize(3));
                assertThat(lengths(run)).as("after exchange " + fails).containsExactly(3, 3, 3);
            }
            try (GroupRun fresh = new GroupRun(model.architecture(), model.checkpoint(), List.of(group))) {
                fresh.step(1, 2, 3);
                assertThat(run.step(4, 5).logits())
                        .containsExactly(fresh.step(4, 5).logits());
            }
        }
    }

    private static List<Integer> lengths(GroupRun run) {
        return run.programs().stream()
                .flatMap(List::stream)
                .map(program -> program.length(GroupRun.SESSION))
                .toList();
    }

    private static int exchanges(GroupRun run) {
        return (int) run.programs().get(0).get(0).program().ops().stream()
                .filter(ExchangeBegin.class::isInstance)
                .count();
    }

    /** The node of {@code rank} breaks at its exchange {@code number}. */
    private static GroupRun.Interference failing(int failingRank, int number) {
        return (exchange, group, rank) -> rank != failingRank
                ? exchange
                : new Exchange() {
                    private final AtomicInteger begun = new AtomicInteger();

                    @Override
                    public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
                        if (begun.getAndIncrement() == number) {
                            throw new IllegalStateException("the node breaks");
                        }
                        exchange.begin(op, values, cancel);
                    }

                    @Override
                    public Outcome await(int id) {
                        return exchange.await(id);
                    }
                };
    }

    /** Together the slices read every byte that the whole model reads. */
    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#tiny")
    void slicesTogetherReadTheWholeModel(GoldenModel golden) {
        Model model = golden.open();
        Architecture architecture = model.architecture();
        LayerRange all = LayerRange.whole(architecture.layers());
        Plan whole = architecture.program(model.checkpoint(), all).plan();
        Placements.of(architecture).forEach((name, groups) -> {
            List<Weight> read = groups.stream()
                    .flatMap(group -> IntStream.range(0, group.size())
                            .mapToObj(rank -> architecture.program(model.checkpoint(), new Member(group, rank))))
                    .flatMap(program -> program.weights().values().stream())
                    .toList();
            assertThat(FileRanges.of(read, 0)).as(name).isEqualTo(whole.ranges(0));
        });
    }

    private static int greatest(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
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
