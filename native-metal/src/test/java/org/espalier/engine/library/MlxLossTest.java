package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.espalier.engine.Cancel;
import org.espalier.engine.Compiling;
import org.espalier.engine.DeviceLostException;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.Executor;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.NoMemoryException;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.RouterEdits.LayerEdit;
import org.espalier.engine.Step;
import org.espalier.program.Attention;
import org.espalier.program.Experts;
import org.espalier.program.GatedUnit;
import org.espalier.program.Op;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.Scale;
import org.espalier.program.View;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The mlx engine where MLX fails: its own objects, linked with stand-ins for what they call of MLX ({@code src/test/cpp/engine}). */
final class MlxLossTest {

    private static final Path MLX = Path.of("target/mlx").toAbsolutePath();
    private static final Path OBJECTS = Path.of("target/cpp").toAbsolutePath();
    private static final Path OUT = Path.of("target/cpp-test").toAbsolutePath();
    private static final Path LIBRARY = OUT.resolve("libespalier-mlx-failing.so");

    @TempDir
    Path directory;

    private Engine engine;

    @BeforeAll
    static void link() throws IOException, InterruptedException {
        assumeTrue(Files.exists(MLX.resolve("mlx/lib/libmlx.so")), "there is no MLX for Linux in " + MLX);
        assumeTrue(Files.exists(OBJECTS.resolve("engine.o")), "the mlx engine was not built");
        Compiling.run(
                "make",
                "-s",
                "-C",
                "src/test/cpp",
                "MLX=" + MLX,
                "OBJECTS=" + OBJECTS,
                "OUT=" + OUT,
                LIBRARY.toString());
    }

    @BeforeEach
    void start() {
        engine = new LibraryEngine(
                MlxProvider.mlx(),
                LibraryFile.open(EspalierLibrary::of, () -> LIBRARY).library());
    }

    @AfterEach
    void close() {
        engine.close();
    }

    /** As failing.cpp counts them. */
    private enum Failure {
        NONE,
        COMPUTED,
        BEGUN_AT_ONCE,
        BEGUN,
        KEPT,
        BUILT,
        ALLOCATED
    }

    private LoadedProgram load() throws IOException {
        return load(new SelfTestPrograms(Files.createTempDirectory(directory, "program")).product());
    }

    /** So many ops that the engine begins to evaluate before it has built the last, behind one that remembers rows. */
    private static Program longProgram() {
        ProgramBuilder builder = new ProgramBuilder("long", SelfTestPrograms.HIDDEN);
        View x = builder.slot(SelfTestPrograms.HIDDEN);
        View y = builder.slot(SelfTestPrograms.HIDDEN);
        int cache = builder.cache(2 * SelfTestPrograms.HIDDEN);
        builder.op(new Attention(x, x, x, Attention.grouped(2, 2), 0.5f, null, cache, y));
        for (int i = 0; i < 100; i++) {
            builder.op(new Scale(y, i % 2 == 0 ? 2 : 0.5f));
        }
        return builder.build(x, y);
    }

    private LoadedProgram load(Program of) {
        LoadedProgram program = LoadedProgram.load(engine, of, EngineOptions.FLOAT32, Loading.quietly());
        program.open(1, 9, RouterEdits.NONE);
        return program;
    }

    private static void failNext(Failure how) {
        failAfter(0, how);
    }

    private static void failAfter(int others, Failure how) {
        NativeLibrary.getInstance(LIBRARY.toString())
                .getFunction("fail_after")
                .invoke(new Object[] {others, how.ordinal()});
    }

    private static ByteBuffer run(LoadedProgram program) {
        return program.run(step(program.length(1)), Exchange.ALONE, new Cancel())
                .activations();
    }

    /** What an executor makes of the next row of session 1. */
    private static ByteBuffer run(Executor executor, int position) {
        return executor.run(step(position), Exchange.ALONE, new Cancel()).activations();
    }

    /** One row of halves. */
    private static Step step(int position) {
        ByteBuffer row = ByteBuffer.allocateDirect(SelfTestPrograms.HIDDEN * Float.BYTES);
        for (int i = 0; i < row.capacity(); i += Float.BYTES) {
            row.put(i + 3, (byte) 0x3f);
        }
        return new Step(List.of(Step.Entry.ofRows(1, position, 1, Step.Logits.NONE)), row, Set.of());
    }

    private static void loses(LoadedProgram program) {
        loses(program, Failure.COMPUTED);
    }

    private static void loses(LoadedProgram program, Failure how) {
        failNext(how);
        isLost(program, "MLX failed: the stand-in's array cannot be computed");
    }

    private static void isLost(LoadedProgram program, String why) {
        assertThatExceptionOfType(DeviceLostException.class)
                .isThrownBy(() -> run(program))
                .withMessage("the engine mlx lost its device: " + why
                        + "; 1 session is gone with it: open new ones and send their tokens again");
    }

    private static void computesAnew(LoadedProgram program, ByteBuffer expected) {
        program.open(1, 9, RouterEdits.NONE);
        assertThat(program.length(1)).isZero();
        assertThat(run(program)).isEqualTo(expected);
    }

    @Test
    void theProgramIsLoadedAnewAndComputesTheSame() throws IOException {
        try (LoadedProgram program = load()) {
            ByteBuffer before = run(program);
            for (int i = 0; i < 2; i++) {
                loses(program);
                computesAnew(program, before);
                assertThat(run(program)).isEqualTo(before);
            }
        }
    }

    @Test
    void anotherProgramOfTheEngineGoesOn() throws IOException {
        try (LoadedProgram program = load();
                LoadedProgram other = load()) {
            ByteBuffer before = run(other);
            loses(program);
            assertThat(run(other)).isEqualTo(before);
            assertThat(other.length(1)).isEqualTo(2);
        }
    }

    /** What was begun early fails at once, on MLX's own thread while more is built, or so late that only the stream knows. */
    @ParameterizedTest
    @EnumSource(names = {"BEGUN_AT_ONCE", "BEGUN", "KEPT"})
    void aStepOfWhichAPartFailedIsNotCommitted(Failure how) throws IOException {
        try (LoadedProgram program = load(longProgram())) {
            ByteBuffer before = run(program);
            for (int i = 0; i < 2; i++) {
                loses(program, how);
                computesAnew(program, before);
            }
        }
    }

    @Test
    void anErrorWhileAStepIsBuilt() throws IOException {
        try (LoadedProgram program = load()) {
            ByteBuffer before = run(program);
            loses(program, Failure.BUILT);
            computesAnew(program, before);
        }
    }

    @Test
    void aCallThatCannotReportIsReportedByTheNextOne() throws IOException {
        try (LoadedProgram program = load(longProgram())) {
            ByteBuffer before = run(program);
            failNext(Failure.ALLOCATED);
            program.truncate(1, 0);
            isLost(program, "the program failed earlier and has to be loaded anew");
            computesAnew(program, before);
        }
    }

    /** The functions below {@link LoadedProgram}, which would refuse such sessions itself. */
    private void onExecutor(Consumer<Executor> test) {
        engine.thread().call(() -> {
            try (Executor executor = engine.load(longProgram(), EngineOptions.FLOAT32, Loading.quietly())) {
                assertThat(executor.loadMore(Loading.quietly())).isFalse();
                executor.open(1, 9, RouterEdits.NONE);
                test.accept(executor);
            }
            return null;
        });
    }

    @Test
    void sessionsThatAreNotOpen() {
        onExecutor(executor -> {
            ByteBuffer first = run(executor, 0);
            long free = executor.kvRowsFree();
            executor.dropSnapshot(7, 1);
            executor.dropRows(7, 0);
            executor.dropRows(1, 2);
            executor.close(7);
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> executor.snapshot(7))
                    .withMessage("session 7 is not open");
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> executor.copyRows(7, 8, 0))
                    .withMessage("session 7 cannot be copied to 8");
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> executor.open(1, 9, RouterEdits.NONE))
                    .withMessage("session 1 cannot be opened for 9 rows");
            assertThat(executor.kvRowsFree()).isEqualTo(free);
            ByteBuffer second = run(executor, 1);
            executor.close(1);
            assertThat(executor.kvRowsFree()).isEqualTo(free + 9);
            executor.close(1);
            assertThat(executor.kvRowsFree()).isEqualTo(free + 9);
            executor.open(1, 9, RouterEdits.NONE);
            assertThat(run(executor, 0)).isEqualTo(first);
            assertThat(run(executor, 1)).isEqualTo(second);
        });
    }

    /** At each allocation in turn, until there is none left that could fail. */
    @Test
    void whatHasNoMemoryLeavesSessionsAsTheyWere() {
        onExecutor(executor -> {
            ByteBuffer first = run(executor, 0);
            failsAtEachAllocation(executor, () -> executor.open(2, 9, RouterEdits.NONE));
            executor.close(2);
            failsAtEachAllocation(executor, () -> executor.copyRows(1, 2, 1));
            executor.close(2);
            failsAtEachAllocation(executor, () -> executor.snapshot(1));
            executor.dropSnapshot(1, 1);
            executor.dropRows(1, 0);
            assertThat(run(executor, 0)).isEqualTo(first);
        });
    }

    private static void failsAtEachAllocation(Executor executor, Runnable call) {
        long free = executor.kvRowsFree();
        int failed = 0;
        while (true) {
            failAfter(failed, Failure.ALLOCATED);
            Throwable thrown = catchThrowable(call::run);
            failNext(Failure.NONE);
            if (thrown == null) {
                break;
            }
            assertThat(thrown).isInstanceOf(NoMemoryException.class).hasMessage("no memory");
            assertThat(executor.kvRowsFree()).isEqualTo(free);
            failed++;
        }
        assertThat(failed).isPositive();
    }

    /** Where MLX says that it is CUDA's, and its gather_qmm takes longer than all products of the test. */
    @Test
    void rowsGroupedByExpertAreComputedLikeGathered() throws IOException {
        assertGroupedIsGathered(new SelfTestPrograms(directory).gathered());
    }

    /** As gpt-oss's experts have them. */
    @Test
    void rowsGroupedByExpertGetTheirBiases() throws IOException {
        assertGroupedIsGathered(withBiases(new SelfTestPrograms(directory).gathered()));
    }

    private Program withBiases(Program mixture) throws IOException {
        ProgramBuilder builder = new ProgramBuilder("with biases", SelfTestPrograms.HIDDEN);
        View x = builder.slot(SelfTestPrograms.HIDDEN);
        View y = builder.slot(SelfTestPrograms.HIDDEN);
        mixture.weights().forEach(builder::weight);
        for (Op op : mixture.ops()) {
            if (op instanceof Experts experts) {
                GatedUnit unit = experts.unit();
                GatedUnit biased = new GatedUnit(
                        withBias(builder, mixture, unit.gate()),
                        withBias(builder, mixture, unit.up()),
                        withBias(builder, mixture, unit.down()),
                        unit.activation());
                builder.op(new Experts(experts.layer(), x, experts.held(), biased, y));
            } else {
                builder.op(op);
            }
        }
        return builder.build(x, y);
    }

    private Projection withBias(ProgramBuilder builder, Program mixture, Projection projection) throws IOException {
        Weight weight = mixture.weights().get(projection.weight());
        Random random = new Random(weight.rows());
        ByteBuffer values = ByteBuffer.allocate(weight.count() * weight.rows() * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
            values.putFloat(random.nextFloat() - 0.5f);
        }
        String name = projection.weight() + ".bias";
        Path file = Files.write(directory.resolve(name), values.array());
        Piece piece = Piece.of(new Region(file, 0, (long) weight.rows() * Float.BYTES));
        builder.weight(name, Weight.stack(1, weight.rows(), Plain.F32, piece, weight.count()));
        return new Projection(projection.weight(), name);
    }

    private void assertGroupedIsGathered(Program mixture) {
        List<String> choices = new ArrayList<>();
        float[] gathered = rowsOf(mixture, choices);
        assertThat(choices).noneMatch(line -> line.contains("grouped"));
        seemCuda(true);
        try {
            float[] grouped = rowsOf(mixture, choices);
            assertThat(choices)
                    .anyMatch(line -> line.contains("2 of 4 experts")
                            && line.contains("(32 to 63 rows): rows grouped by expert taken, the fastest"));
            for (int i = 0; i < gathered.length; i++) {
                assertThat(grouped[i])
                        .as("value %d", i)
                        .isCloseTo(gathered[i], within(1e-4f + 1e-5f * Math.abs(gathered[i])));
            }
        } finally {
            seemCuda(false);
        }
    }

    private static void seemCuda(boolean seems) {
        NativeLibrary.getInstance(LIBRARY.toString()).getFunction("seem_cuda").invoke(new Object[] {seems ? 1 : 0});
    }

    /** Of two sessions with 20 rows each, in the second of which only one expert is not banned. */
    private float[] rowsOf(Program mixture, List<String> choices) {
        int rows = 20;
        Random random = new Random(9);
        ByteBuffer in = ByteBuffer.allocateDirect(2 * rows * SelfTestPrograms.HIDDEN * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            in.putFloat(random.nextFloat() - 0.5f);
        }
        LayerEdit only = new LayerEdit(Set.of(0, 1, 3), List.of(), OptionalInt.empty(), 1);
        try (LoadedProgram program = LoadedProgram.load(engine, mixture, EngineOptions.FLOAT32, Loading.quietly())) {
            program.open(1, rows, RouterEdits.NONE);
            program.open(2, rows, new RouterEdits(Map.of(0, only)));
            List<Step.Entry> entries = List.of(
                    Step.Entry.ofRows(1, 0, rows, Step.Logits.NONE), Step.Entry.ofRows(2, 0, rows, Step.Logits.NONE));
            ByteBuffer out = program.run(new Step(entries, in.flip(), Set.of()), Exchange.ALONE, new Cancel())
                    .activations();
            float[] values = new float[2 * rows * SelfTestPrograms.HIDDEN];
            out.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            assertThat(values).hasSize(2 * rows * SelfTestPrograms.HIDDEN);
            choices.addAll(program.choices());
            return values;
        }
    }
}
