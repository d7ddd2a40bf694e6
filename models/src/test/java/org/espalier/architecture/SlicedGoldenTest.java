package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.Exchange;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.model.Model;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Experts;
import org.espalier.program.Plan;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.slice.Share;
import org.espalier.slice.Slice;
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
        compare(ReferenceEngine::new, architecture, checkpoint, prompt);
    }

    /** @param engines starts the engine of each node */
    static void compare(Supplier<Engine> engines, Architecture architecture, Checkpoint checkpoint, int... prompt) {
        List<GroupRun.Result> expected = new ArrayList<>();
        List<int[]> steps = steps(prompt);
        try (GroupRun whole = new GroupRun(
                engines,
                architecture,
                checkpoint,
                List.of(SliceGroup.alone(LayerRange.whole(architecture.layers()))))) {
            for (int i = 0; i < 2 + DECODED; i++) {
                expected.add(whole.step(GroupRun.Interference.NONE, wanted(i), steps.get(i)));
                if (i > 0) {
                    steps.add(new int[] {greatest(expected.get(i).logits())});
                }
            }
        }
        Placements.of(architecture).forEach((name, groups) -> {
            try (GroupRun sliced = new GroupRun(engines, architecture, checkpoint, groups)) {
                for (int i = 0; i < expected.size(); i++) {
                    GroupRun.Result found = sliced.step(GroupRun.Interference.NONE, wanted(i), steps.get(i));
                    String what = name + ", step " + i;
                    compare(what, found, expected.get(i));
                    if (name.startsWith("experts")) {
                        checkExecuted(what, groups.get(0), found.routing().get(0), length(steps, i));
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
     * Where experts are placed whole, those that a group's nodes hold and compute for a row are those chosen, each once.
     *
     * @param position of the step's first row
     */
    private static void checkExecuted(String what, SliceGroup group, Routing routing, int position) {
        for (int l = 0; l < routing.layers().length; l++) {
            for (int row = 0; row < routing.rows(); row++) {
                int sum = position + row + routing.layers()[l];
                List<Integer> chosen = chosen(routing, l, row);
                List<Integer> executed = group.slices().stream()
                        .flatMap(slice -> executed(slice, chosen, sum).stream())
                        .sorted()
                        .toList();
                assertThat(executed)
                        .as(what + ": layer " + routing.layers()[l] + ", position " + (position + row))
                        .isEqualTo(chosen);
            }
        }
    }

    private static List<Integer> chosen(Routing routing, int layer, int row) {
        int from = (layer * routing.rows() + row) * routing.width();
        return IntStream.range(from, from + routing.width())
                .mapToObj(i -> (int) routing.experts()[i])
                .sorted()
                .toList();
    }

    /** Of the chosen experts those that the slice's node has to compute where position and layer add up to {@code sum}. */
    private static List<Integer> executed(Slice slice, List<Integer> chosen, int sum) {
        return slice.shares().experts().orElseThrow().stream()
                .filter(held -> chosen.contains(held.expert()) && sum % held.replicas() == held.replica())
                .map(Experts.Held::expert)
                .toList();
    }

    /** Keeps what each node adds to each exchange, of the step's first row. */
    private static GroupRun.Interference seeing(Map<Integer, List<float[]>> contributions) {
        return (exchange, rank, cancel) -> new Exchange() {
            @Override
            public void begin(ExchangeBegin op, ByteBuffer values, Cancel flag) {
                float[] row = new float[op.view().width()];
                values.duplicate()
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .get(row);
                synchronized (contributions) {
                    contributions.computeIfAbsent(rank, r -> new ArrayList<>()).add(row);
                }
                exchange.begin(op, values, flag);
            }

            @Override
            public Outcome await(int id) {
                return exchange.await(id);
            }
        };
    }

    /** One token after the other: in every layer a node adds something to the sum if it has to execute a chosen expert, and else zeros. */
    @Test
    void nodesAddWhatTheyHaveToExecute() {
        Model model = GoldenModel.tiny("deepseek_v3-tiny/hf").open();
        SliceGroup group =
                Placements.experts(LayerRange.whole(model.architecture().layers()), 16, 5, Share.WHOLE);
        int[] counts = new int[2];
        try (GroupRun run = new GroupRun(model.architecture(), model.checkpoint(), List.of(group))) {
            for (int position = 0; position < 12; position++) {
                Map<Integer, List<float[]>> seen = new TreeMap<>();
                Routing routing = run.step(seeing(seen), Step.Logits.NONE, 3 * position)
                        .routing()
                        .get(0);
                for (int rank = 0; rank < group.size(); rank++) {
                    assertThat(seen.get(rank)).as("exchanges").hasSize(routing.layers().length);
                    for (int l = 0; l < routing.layers().length; l++) {
                        int sum = position + routing.layers()[l];
                        boolean executes = !executed(group.slices().get(rank), chosen(routing, l, 0), sum)
                                .isEmpty();
                        assertThat(any(seen.get(rank).get(l)))
                                .as("node " + rank + ", position " + position + ", layer " + routing.layers()[l])
                                .isEqualTo(executes);
                        counts[executes ? 1 : 0]++;
                    }
                }
            }
        }
        assertThat(counts[0]).isGreaterThan(10);
        assertThat(counts[1]).isGreaterThan(10);
    }

    private static boolean any(float[] values) {
        for (float value : values) {
            if (value != 0) {
                return true;
            }
        }
        return false;
    }

    /** Whichever node is cancelled or breaks, and at whichever exchange: nobody waits, all sessions stay as they were, and the step can run again. */
    @Test
    void aStepThatEndsEarlyLeavesEverySessionAsItWas() {
        Model model = GoldenModel.tiny("deepseek_v3-tiny/hf").open();
        SliceGroup group =
                Placements.experts(LayerRange.whole(model.architecture().layers()), 16, 3, null);
        try (GroupRun run = new GroupRun(model.architecture(), model.checkpoint(), List.of(group))) {
            run.step(1, 2, 3);
            int exchanges = exchanges(run);
            assertThat(exchanges).isGreaterThan(2 * model.architecture().layers());
            for (int at = 0; at < exchanges; at++) {
                for (int rank = 0; rank < 3; rank++) {
                    String where = "node " + rank + " at exchange " + at;
                    assertThat(errors(run, at(rank, at, Cancel::set)))
                            .as(where + " is cancelled")
                            .hasSize(3)
                            .allMatch(CancelledException.class::isInstance);
                    List<Throwable> errors = errors(run, at(rank, at, SlicedGoldenTest::breaks));
                    assertThat(errors).as(where + " breaks").hasSize(3);
                    assertThat(errors.remove(rank)).hasMessage("the node breaks");
                    assertThat(errors)
                            .allSatisfy(error -> assertThat(error)
                                    .isInstanceOf(EngineException.class)
                                    .hasMessageContaining("another node of the group failed or is gone"));
                    assertThat(lengths(run)).as("after " + where).containsExactly(3, 3, 3);
                }
            }
            try (GroupRun fresh = new GroupRun(model.architecture(), model.checkpoint(), List.of(group))) {
                fresh.step(1, 2, 3);
                assertThat(run.step(4, 5).logits())
                        .containsExactly(fresh.step(4, 5).logits());
            }
        }
    }

    private static List<Throwable> errors(GroupRun run, GroupRun.Interference interference) {
        try {
            run.step(interference, Step.Logits.LAST, 4, 5);
            return List.of();
        } catch (GroupRun.NodesFailed e) {
            return new ArrayList<>(e.errors);
        }
    }

    private static void breaks(Cancel cancel) {
        throw new IllegalStateException("the node breaks");
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

    /** Something happens to one node just before it begins its exchange {@code number}. */
    private static GroupRun.Interference at(int hit, int number, Consumer<Cancel> happens) {
        return (exchange, rank, cancel) -> rank != hit
                ? exchange
                : new Exchange() {
                    private int begun;

                    @Override
                    public void begin(ExchangeBegin op, ByteBuffer values, Cancel flag) {
                        if (begun++ == number) {
                            happens.accept(cancel);
                        }
                        exchange.begin(op, values, flag);
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

    /** Nothing of a whole model is copied: its plan is the bytes of its files. */
    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#tiny")
    void wholeModelsAreReadInPlace(GoldenModel golden) {
        Model model = golden.open();
        LayerRange all = LayerRange.whole(model.architecture().layers());
        Plan plan = model.architecture().program(model.checkpoint(), all).plan();
        assertThat(plan.residentBytes()).isEqualTo(plan.ranges(0).bytes());
    }

    @ParameterizedTest
    @EnumSource(SeededModel.class)
    void wholeSeededModelsAreReadInPlace(SeededModel seeded, @TempDir Path directory) {
        Checkpoint checkpoint = seeded.checkpoint(directory);
        Architecture architecture = seeded.architecture();
        Plan plan = architecture
                .program(checkpoint, LayerRange.whole(architecture.layers()))
                .plan();
        assertThat(plan.residentBytes()).isEqualTo(plan.ranges(0).bytes());
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
