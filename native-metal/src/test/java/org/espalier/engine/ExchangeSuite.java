package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.espalier.engine.WeightFile.random;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.engine.Exchange.Outcome;
import org.espalier.program.Add;
import org.espalier.program.Embed;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.View;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;

/** Values that nodes of a group exchange within a step, and how a group ends a step together. */
abstract class ExchangeSuite extends Suite {

    ExchangeSuite(EngineUnderTest tested) {
        super(tested);
    }

    private static ExchangeBegin sum(int id, View view) {
        return new ExchangeBegin(id, view, new ExchangeBegin.Sum());
    }

    /** Tells what is asked of it, and answers with 10 more. */
    private static final class Recording implements Exchange {

        private final List<String> calls = new ArrayList<>();
        private final List<float[]> sent = new ArrayList<>();
        private final int values;

        /** @param values of one exchange, from which the bytes of one follow */
        Recording(int values) {
            this.values = values;
        }

        @Override
        public void begin(ExchangeBegin op, ByteBuffer bytes, Cancel cancel) {
            calls.add("begin " + op.id());
            Wire wire = new Wire(bytes.remaining() / values);
            float[] all = new float[values];
            for (int i = 0; i < values; i++) {
                all[i] = wire.get(bytes, i);
                wire.set(bytes, i, 10 + all[i]);
            }
            sent.add(all);
        }

        @Override
        public Outcome await(int id) {
            calls.add("await " + id);
            return Outcome.DONE;
        }
    }

    /** What the exchange leaves is the value from then on. */
    @Test
    void theResultStandsInTheView() {
        float[][] x = {{1, 2, 3, 4}, {0.5f, -1, 0, 8}, {-2, -4, 0.25f, 16}};
        Recording exchange = new Recording(12);
        OpBench bench = new OpBench(4, 4).exchange(2, exchange);
        bench.op((in, out) -> new Add(in, in, out)).op((in, out) -> sum(3, out)).op((in, out) -> new ExchangeAwait(3));
        float[][] actual = bench.run(tested, x);
        for (int t = 0; t < 3; t++) {
            for (int i = 0; i < 4; i++) {
                assertThat(exchange.sent.get(0)[4 * t + i]).isEqualTo(2 * x[t][i]);
                assertThat(actual[t][i]).isEqualTo(10 + 2 * x[t][i]);
            }
        }
    }

    @Test
    void valuesTravelAsWideAsActivations() {
        float[][] x = tested.rows(26, 3, 4);
        List<Integer> bytes = new ArrayList<>();
        OpBench bench = new OpBench(4, 4).exchange(2, OneNodeExchange.of(values -> bytes.add(values.remaining())));
        bench.op((in, out) -> new Add(in, in, out)).op((in, out) -> sum(3, out)).op((in, out) -> new ExchangeAwait(3));
        int activations = bench.result(tested, x).step().activations().remaining();
        assertThat(bytes).containsExactly(activations);
    }

    @Test
    void opsBetweenBeginAndAwaitRunMeanwhile() {
        float[][] x = {{1, 2, 3, 4}, {4, 3, 2, 1}};
        Recording exchange = new Recording(4);
        OpBench bench = new OpBench(4, 4).exchange(2, exchange);
        bench.op((in, out) -> new Add(in.columns(0, 2), in.columns(0, 2), out.columns(0, 2)))
                .op((in, out) -> sum(1, out.columns(0, 2)))
                .op((in, out) -> new Add(in.columns(0, 2), in.columns(2, 2), out.columns(2, 2)))
                .op((in, out) -> sum(2, out.columns(2, 2)))
                .op((in, out) -> new ExchangeAwait(1))
                .op((in, out) -> new ExchangeAwait(2));
        float[][] actual = bench.run(tested, x);
        assertThat(exchange.calls).containsExactly("begin 1", "begin 2", "await 1", "await 2");
        assertThat(exchange.sent.get(0)).containsExactly(2, 4, 8, 6);
        assertThat(exchange.sent.get(1)).containsExactly(4, 6, 6, 4);
        assertThat(actual).isDeepEqualTo(new float[][] {{12, 14, 14, 16}, {18, 16, 16, 14}});
    }

    /** Runs each of a group's members on an engine and a thread of its own. */
    private <T> List<T> together(List<Callable<T>> members) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(members.size());
        try {
            List<Future<T>> futures = members.stream().map(threads::submit).toList();
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get(60, TimeUnit.SECONDS));
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    /** Rows of rank {@code rank} after {@code ops}; every rank has an engine of its own, as every node has. */
    private float[][] member(int rank, Meeting meeting, int size, float[][] x, List<Ops> ops) {
        try (EngineUnderTest own = new EngineUnderTest(tested.engine().provider(), tested.precision())) {
            OpBench bench = new OpBench(4, 6).group(new EngineOptions.Group(rank, size), meeting.of(rank));
            ops.get(rank).add(bench);
            return bench.run(own, x);
        }
    }

    private interface Ops {
        void add(OpBench bench);
    }

    private int wireBytes() {
        try (LoadedProgram program = tested.load(TinyProgram.tokens(new WeightFile(directory)))) {
            return program.activationBytes();
        }
    }

    /** Two halves of a product by columns. */
    @Test
    void partialSumsAddUpToTheSameBitsOnEveryNode() throws Exception {
        float[][] w = random(70, 6, 4);
        float[][] x = tested.rows(71, 5, 4);
        WeightFile file = new WeightFile(directory);
        Meeting meeting = new Meeting(2, new Wire(wireBytes()));
        List<Ops> ops = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            int from = 2 * rank;
            Weight half = file.floats(w).columns(from, 2);
            ops.add(bench -> {
                bench.builder().weight("w", half);
                bench.op((in, out) -> new Linear(in.columns(from, 2), Projection.of("w"), out))
                        .op((in, out) -> sum(1, out))
                        .op((in, out) -> new ExchangeAwait(1));
            });
        }
        List<float[][]> results =
                together(List.of(() -> member(0, meeting, 2, x, ops), () -> member(1, meeting, 2, x, ops)));
        assertThat(results.get(0)).isDeepEqualTo(results.get(1));
        Expected[][] expected =
                Arrays.stream(x).map(row -> Expected.multiply(w, row)).toArray(Expected[][]::new);
        tested.differences().compare(ExchangeAwait.class, results.get(0), expected);
    }

    /** Columns of three nodes, of which the second has none. */
    @Test
    void gatheredColumnsStandInTheOrderOfRanks() throws Exception {
        List<Integer> widths = List.of(4, 0, 2);
        float[][] x = {{1, 2, 3, 4}, {5, 6, 7, 8}};
        Meeting meeting = new Meeting(3, new Wire(wireBytes()));
        ExchangeBegin.Gather gather = new ExchangeBegin.Gather(widths);
        List<Ops> ops = List.of(
                bench -> gathered(bench.op((in, out) -> new Add(in, in, out.columns(0, 4))), gather),
                bench -> gathered(bench, gather),
                bench -> gathered(
                        bench.op((in, out) -> new Add(in.columns(1, 2), in.columns(1, 2), out.columns(4, 2))), gather));
        List<float[][]> results = together(List.of(
                () -> member(0, meeting, 3, x, ops),
                () -> member(1, meeting, 3, x, ops),
                () -> member(2, meeting, 3, x, ops)));
        float[][] expected = {{2, 4, 6, 8, 4, 6}, {10, 12, 14, 16, 12, 14}};
        for (float[][] result : results) {
            assertThat(result).isDeepEqualTo(expected);
        }
    }

    private static void gathered(OpBench bench, ExchangeBegin.Gather gather) {
        bench.op((in, out) -> new ExchangeBegin(5, out, gather)).op((in, out) -> new ExchangeAwait(5));
    }

    /** The second of three nodes has no share of the sum. */
    @Test
    void aNodeWithoutAShareAddsZeros() throws Exception {
        float[][] x = {{1, 2, 3, 4}, {5, 6, 7, 8}};
        Meeting meeting = new Meeting(3, new Wire(wireBytes()));
        Ops term = bench -> bench.op((in, out) -> new Add(in, in, out.columns(0, 4)))
                .op((in, out) -> sum(1, out.columns(0, 4)))
                .op((in, out) -> new ExchangeAwait(1));
        Ops nothing = bench -> bench.op((in, out) -> new ExchangeBegin(1, out.columns(0, 4), new ExchangeBegin.Zeros()))
                .op((in, out) -> new ExchangeAwait(1));
        List<Ops> ops = List.of(term, nothing, term);
        List<float[][]> results = together(List.of(
                () -> member(0, meeting, 3, x, ops),
                () -> member(1, meeting, 3, x, ops),
                () -> member(2, meeting, 3, x, ops)));
        for (float[][] result : results) {
            for (int t = 0; t < 2; t++) {
                for (int i = 0; i < 4; i++) {
                    assertThat(result[t][i]).isEqualTo(4 * x[t][i]);
                }
            }
        }
    }

    /** Rows 0 to 4 and 4 to 11 of the output matrix; logits of the wanted rows only, and of none no exchange. */
    @Test
    void logitsAreGatheredForTheWantedRows() throws Exception {
        WeightFile file = new WeightFile(directory);
        float[][] embedding = tested.rows(80, 11, 8);
        float[][] head = tested.rows(81, 11, 8);
        Weight table = file.floats(embedding);
        Weight whole = file.floats(head);
        List<Integer> widths = List.of(4, 7);
        Meeting meeting = new Meeting(2, new Wire(wireBytes()));
        AtomicInteger exchanges = new AtomicInteger();
        List<Callable<float[][]>> members = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            int own = rank;
            ProgramBuilder builder = new ProgramBuilder("main", 8);
            View x = builder.slot(8);
            View logits = builder.logits(11);
            builder.weight("e", table);
            builder.weight("h", whole.rows(4 * rank, widths.get(rank)));
            Program program = builder.op(new Embed("e", x))
                    .op(new Logits(x, "h", logits.columns(4 * rank, widths.get(rank))))
                    .op(new ExchangeBegin(0, logits, new ExchangeBegin.Gather(widths)))
                    .op(new ExchangeAwait(0))
                    .build(x, x);
            members.add(() -> {
                try (EngineUnderTest engine =
                                new EngineUnderTest(tested.engine().provider(), tested.precision());
                        LoadedProgram loaded =
                                engine.load(program, engine.options().with(new EngineOptions.Group(own, 2)))) {
                    Exchange exchange = counting(meeting.of(own), exchanges);
                    loaded.open(1, 8, RouterEdits.NONE);
                    loaded.open(2, 8, RouterEdits.NONE);
                    Step none = Step.of(Step.Entry.ofTokens(1, 0, new int[] {1, 2}, Step.Logits.NONE));
                    assertThat(loaded.run(none, exchange, new Cancel()).logits())
                            .isEmpty();
                    Step some = Step.of(
                            Step.Entry.ofTokens(1, 2, new int[] {3, 9, 5}, Step.Logits.LAST),
                            Step.Entry.ofTokens(2, 0, new int[] {10, 7}, Step.Logits.ALL));
                    return loaded.run(some, exchange, new Cancel()).logits();
                }
            });
        }
        List<float[][]> results = together(members);
        assertThat(results.get(0)).isDeepEqualTo(results.get(1));
        assertThat(exchanges).hasValue(2);
        Expected[][] expected = {
            Expected.multiply(head, embedding[5]),
            Expected.multiply(head, embedding[10]),
            Expected.multiply(head, embedding[7])
        };
        tested.differences().compare(Logits.class, results.get(0), expected);
    }

    private static Exchange counting(Exchange exchange, AtomicInteger count) {
        return new Exchange() {
            @Override
            public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
                count.incrementAndGet();
                exchange.begin(op, values, cancel);
            }

            @Override
            public Outcome await(int id) {
                return exchange.await(id);
            }
        };
    }

    private static Step tokens(long session, int from, int... tokens) {
        return new Step(List.of(Step.Entry.ofTokens(session, from, tokens, Step.Logits.ALL)), null, Set.of());
    }

    private static float[] last(LoadedProgram program, Step step) {
        float[][] logits = program.run(step, Exchange.ALONE, new Cancel()).logits();
        return logits[logits.length - 1];
    }

    @Test
    void aStepWhoseExchangeEndsOtherwiseLeavesEverySessionAsItWas() {
        for (int window : new int[] {0, 3}) {
            WeightFile file = new WeightFile(directory);
            try (LoadedProgram program = tested.load(TinyProgram.tokens(file, window))) {
                for (long session = 1; session <= 3; session++) {
                    program.open(session, 200, RouterEdits.NONE);
                    last(program, tokens(session, 0, 3, 1, 4, 1, 5));
                }
                int[] many = new int[150];
                Arrays.fill(many, 7);
                Step both = new Step(
                        List.of(
                                Step.Entry.ofTokens(2, 5, many, Step.Logits.LAST),
                                Step.Entry.greedy(3, 5, Step.Logits.LAST)),
                        null,
                        Set.of());
                assertThatExceptionOfType(CancelledException.class)
                        .isThrownBy(() -> program.run(both, ending(Outcome.CANCELLED), new Cancel()));
                assertThatExceptionOfType(EngineException.class)
                        .isThrownBy(() -> program.run(both, ending(Outcome.FAILED), new Cancel()))
                        .withMessageContaining("exchange 1 of program 'main' failed");
                assertThatExceptionOfType(IllegalStateException.class)
                        .isThrownBy(() -> program.run(both, OneNodeExchange.of(ExchangeSuite::broken), new Cancel()));
                float[] expected = last(program, tokens(1, 5, 9, 2));
                for (long session = 2; session <= 3; session++) {
                    assertThat(program.length(session)).isEqualTo(5);
                    assertThat(last(program, tokens(session, 5, 9, 2))).containsExactly(expected);
                }
            }
        }
    }

    private static void broken(ByteBuffer values) {
        throw new IllegalStateException("a defect of the exchange");
    }

    private static Exchange ending(Outcome outcome) {
        return new OneNodeExchange(values -> {}, outcome);
    }

    /** Alone, a node ends at its own flag; in a group it goes on, for the others wait for it at the next exchange. */
    @Test
    void aNodeOfAGroupDoesNotLeaveAtItsOwnFlag() {
        WeightFile file = new WeightFile(directory);
        EngineOptions group = tested.options().with(new EngineOptions.Group(0, 2));
        Cancel set = new Cancel();
        set.set();
        try (LoadedProgram program = tested.load(TinyProgram.tokens(file), group)) {
            program.open(1, 8, RouterEdits.NONE);
            List<Boolean> flags = new ArrayList<>();
            Exchange asking = new Exchange() {
                @Override
                public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
                    flags.add(cancel.isSet());
                }

                @Override
                public Outcome await(int id) {
                    return Outcome.DONE;
                }
            };
            assertThat(program.run(tokens(1, 0, 3, 1), asking, set).logits()).hasNumberOfRows(2);
            assertThat(flags).containsExactly(true);
            assertThat(program.length(1)).isEqualTo(2);
        }
    }

    @Test
    void aCancelOnOneNodeEndsTheStepOnAll() throws Exception {
        WeightFile file = new WeightFile(directory);
        Program tiny = TinyProgram.tokens(file);
        Meeting meeting = new Meeting(2, new Wire(wireBytes()));
        List<Cancel> flags = List.of(new Cancel(), new Cancel());
        List<Callable<List<String>>> members = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            int own = rank;
            members.add(() -> {
                try (EngineUnderTest engine =
                                new EngineUnderTest(tested.engine().provider(), tested.precision());
                        LoadedProgram program =
                                engine.load(tiny, engine.options().with(new EngineOptions.Group(own, 2)))) {
                    Exchange exchange = meeting.of(own);
                    program.open(1, 8, RouterEdits.NONE);
                    List<String> outcomes = new ArrayList<>();
                    for (int[] prompt : new int[][] {{3, 1}, {4, 1}, {5, 9}}) {
                        if (outcomes.size() == 1 && own == 1) {
                            flags.get(own).set();
                        }
                        Cancel cancel = outcomes.size() == 1 ? flags.get(own) : new Cancel();
                        try {
                            float[][] logits = program.run(tokens(1, program.length(1), prompt), exchange, cancel)
                                    .logits();
                            outcomes.add(Arrays.deepToString(logits));
                        } catch (CancelledException e) {
                            outcomes.add("cancelled at " + program.length(1));
                        }
                    }
                    return outcomes;
                }
            });
        }
        List<List<String>> outcomes = together(members);
        assertThat(outcomes.get(0)).isEqualTo(outcomes.get(1));
        assertThat(outcomes.get(0).get(0)).startsWith("[[");
        assertThat(outcomes.get(0).get(1)).isEqualTo("cancelled at 2");
        assertThat(outcomes.get(0).get(2)).startsWith("[[");
    }
}
