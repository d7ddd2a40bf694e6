package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.espalier.engine.WeightFile.random;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.espalier.engine.EngineOptions.KvType;
import org.espalier.engine.EngineOptions.Preparation;
import org.espalier.program.Activation;
import org.espalier.program.Attention;
import org.espalier.program.Embed;
import org.espalier.program.GatedMlp;
import org.espalier.program.GatedUnit;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.View;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens at load, and what its options promise: progress, cancel, memory, threads. */
abstract class LoadSuite extends Suite {

    LoadSuite(EngineUnderTest tested) {
        super(tested);
    }

    private static float[][] logits(LoadedProgram program, long session, int... tokens) {
        int at = program.length(session);
        Step step = Step.of(Step.Entry.ofTokens(session, at, tokens, Step.Logits.ALL));
        return program.run(step, Exchange.ALONE, new Cancel()).logits();
    }

    @Test
    void progressNeverFallsAndReachesTheTotal() {
        Program tiny = TinyProgram.tokens(new WeightFile(directory));
        List<Long> told = new ArrayList<>();
        List<Long> totals = new ArrayList<>();
        Loading loading = new Loading(
                (done, of) -> {
                    told.add(done);
                    totals.add(of);
                },
                new Cancel());
        try (LoadedProgram program = LoadedProgram.load(tested.engine(), tiny, tested.options(), loading)) {
            assertThat(told).isSorted().isNotEmpty().allMatch(done -> done >= 0);
            assertThat(totals).containsOnly(tiny.plan().residentBytes());
            assertThat(told.get(told.size() - 1)).isEqualTo(totals.get(0));
            assertThat(program.residentBytes()).isPositive();
        }
    }

    @Test
    void aCancelledLoadLeavesNothingAndTheEngineIsAsReadyAsBefore() {
        Program tiny = TinyProgram.tokens(new WeightFile(directory));
        Cancel before = new Cancel();
        before.set();
        Cancel during = new Cancel();
        List<Loading> cancelled = List.of(
                new Loading((done, of) -> {}, before),
                new Loading(
                        (done, of) -> {
                            assertThat(during.isSet())
                                    .as("goes on after its cancel")
                                    .isFalse();
                            during.set();
                        },
                        during));
        for (Loading loading : cancelled) {
            assertThatExceptionOfType(CancelledException.class)
                    .isThrownBy(() -> LoadedProgram.load(tested.engine(), tiny, tested.options(), loading));
        }
        try (LoadedProgram program = tested.load(tiny)) {
            program.open(1, 4, RouterEdits.NONE);
            assertThat(logits(program, 1, 3)).hasNumberOfRows(1);
        }
    }

    @Test
    void aProgramThatIsClosedSaysSoAndClosesAgain() {
        LoadedProgram program = tested.load(TinyProgram.tokens(new WeightFile(directory)));
        program.open(1, 4, RouterEdits.NONE);
        program.close();
        program.close();
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> program.open(2, 4, RouterEdits.NONE))
                .withMessage("program 'main' is no longer loaded");
    }

    @Test
    void sessionsFillTheKvMemoryThatTheLoadAllows() {
        Program tiny = TinyProgram.tokens(new WeightFile(directory));
        int row = 8 * Float.BYTES; // one cache of 8 values
        EngineOptions limited = tested.options().withKv(KvType.F32, 10 * row);
        try (LoadedProgram program = tested.load(tiny, limited)) {
            assertThat(program.kvBytesPerRow()).isEqualTo(row);
            assertThat(program.kvRowsFree()).isEqualTo(10);
            program.open(1, 6, RouterEdits.NONE);
            assertThat(program.kvRowsFree()).isEqualTo(4);
            logits(program, 1, 3, 1);
            assertThat(program.kvRowsFree()).isEqualTo(4);
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> program.open(2, 5, RouterEdits.NONE))
                    .withMessageContaining("session 2 of 5 rows needs 160 bytes of KV cache, 128 of 320 are free");
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> program.fork(1, 2, 1))
                    .withMessageContaining("session 2 of 6 rows needs 192 bytes of KV cache, 128 of 320 are free");
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> program.length(2))
                    .withMessage("session 2 is not open");
            program.open(2, 4, RouterEdits.NONE);
            assertThat(program.kvRowsFree()).isZero();
            program.close(1);
            assertThat(program.kvRowsFree()).isEqualTo(6);
            program.fork(2, 3, 0);
            assertThat(program.kvRowsFree()).isEqualTo(2);
            assertThat(logits(program, 3, 3, 1)).hasNumberOfRows(2);
        }
    }

    @Test
    void withoutALimitThereIsRoomForManyRows() {
        try (LoadedProgram program = tested.load(TinyProgram.tokens(new WeightFile(directory)))) {
            assertThat(program.kvRowsFree()).isGreaterThan(1000);
        }
    }

    /** Products of many rows, heads and columns, so that there is something to share out. */
    private Program wide() {
        int hidden = 48;
        int width = 200;
        WeightFile file = new WeightFile(directory);
        ProgramBuilder builder = new ProgramBuilder("main", hidden);
        View x = builder.slot(hidden);
        View qkv = builder.slot(3 * hidden);
        View mixed = builder.slot(hidden);
        View out = builder.slot(hidden);
        builder.weight("e", file.floats(random(80, 50, hidden)));
        builder.weight("qkv", file.floats(random(81, 3 * hidden, hidden)));
        builder.weight("g", file.floats(random(82, width, hidden)));
        builder.weight("u", file.floats(random(83, width, hidden)));
        builder.weight("d", file.floats(random(84, hidden, width)));
        builder.weight("h", file.floats(random(85, 500, hidden)));
        return builder.op(new Embed("e", x))
                .op(new Linear(x, Projection.of("qkv"), qkv))
                .op(new Attention(
                        qkv.columns(0, hidden),
                        qkv.columns(hidden, hidden),
                        qkv.columns(2 * hidden, hidden),
                        Attention.grouped(6, 6),
                        0.3f,
                        null,
                        builder.cache(2 * hidden),
                        mixed))
                .op(new GatedMlp(mixed, GatedUnit.of("g", "u", "d", Activation.SILU), out))
                .op(new Logits(out, "h", builder.logits(500)))
                .build(x, out);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void bitsDoNotDependOnTheNumberOfThreads(int threads) {
        Program wide = wide();
        try (LoadedProgram usual = tested.load(wide);
                LoadedProgram own = tested.load(wide, tested.threads(threads))) {
            usual.open(1, 30, RouterEdits.NONE);
            own.open(1, 30, RouterEdits.NONE);
            for (int[] tokens : new int[][] {{3, 14, 15, 9, 2, 6, 5, 35, 8, 9}, {7}, {9, 3}}) {
                assertThat(logits(own, 1, tokens)).isDeepEqualTo(logits(usual, 1, tokens));
            }
        }
    }

    private static EngineOptions preparing(EngineOptions options, Preparation preparation) {
        return new EngineOptions(options.precision(), options.group(), options.kvType(), 0, 0, Set.of(preparation));
    }

    /** Whether the engine refuses such a load, and then with the reason that its provider gives. */
    private boolean refuses(Program program, EngineOptions options) {
        Optional<String> refusal = tested.engine().provider().refusal(program, options);
        refusal.ifPresent(why -> assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> tested.load(program, options))
                .withMessage("the engine " + tested.engine().provider().name() + " cannot run program 'main': " + why));
        return refusal.isPresent();
    }

    @ParameterizedTest
    @EnumSource
    void preparationsChangeNoBit(Preparation preparation) {
        Program wide = wide();
        EngineOptions prepared = preparing(tested.options(), preparation);
        if (refuses(wide, prepared)) {
            return;
        }
        try (LoadedProgram plain = tested.load(wide);
                LoadedProgram ready = tested.load(wide, prepared)) {
            plain.open(1, 30, RouterEdits.NONE);
            ready.open(1, 30, RouterEdits.NONE);
            assertThat(logits(ready, 1, 3, 1, 4)).isDeepEqualTo(logits(plain, 1, 3, 1, 4));
        }
    }

    /** Values of a KV cache that take fewer bytes leave room for more rows. */
    @ParameterizedTest
    @EnumSource
    void aKvTypeIsKeptOrRefused(KvType type) {
        Program wide = wide();
        EngineOptions options = tested.options().withKv(type, 1 << 20);
        if (refuses(wide, options)) {
            assertThat(type).as("every engine has it").isNotEqualTo(KvType.F32);
            return;
        }
        try (LoadedProgram program = tested.load(wide, options)) {
            long values = wide.plan().cacheValuesPerRow();
            double bytes = (double) program.kvBytesPerRow() / values;
            switch (type) {
                case F32 -> assertThat(bytes).isEqualTo(4);
                case F16 -> assertThat(bytes).isEqualTo(2);
                case Q8 -> assertThat(bytes).isBetween(1.0, 1.25); // and the scales
            }
            assertThat(program.kvRowsFree()).isEqualTo((1 << 20) / program.kvBytesPerRow());
            program.open(1, 4, RouterEdits.NONE);
            assertThat(logits(program, 1, 3, 1, 4)).hasNumberOfRows(3);
        }
    }
}
