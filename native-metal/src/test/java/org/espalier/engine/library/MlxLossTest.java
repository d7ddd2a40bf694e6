package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.espalier.engine.Cancel;
import org.espalier.engine.Compiling;
import org.espalier.engine.DeviceLostException;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The mlx engine where MLX fails while it computes: its own objects, linked with a stand-in for MLX's {@code eval} ({@code src/test/cpp/engine}). */
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

    private LoadedProgram load() throws IOException {
        LoadedProgram program = LoadedProgram.load(
                engine,
                new SelfTestPrograms(Files.createTempDirectory(directory, "program")).product(),
                EngineOptions.FLOAT32,
                Loading.quietly());
        program.open(1, 9, RouterEdits.NONE);
        return program;
    }

    private static void failNext() {
        NativeLibrary.getInstance(LIBRARY.toString()).getFunction("fail_next").invoke(new Object[0]);
    }

    /** What it makes of one row of halves. */
    private static ByteBuffer run(LoadedProgram program) {
        ByteBuffer row = ByteBuffer.allocateDirect(SelfTestPrograms.HIDDEN * Float.BYTES);
        for (int i = 0; i < row.capacity(); i += Float.BYTES) {
            row.put(i + 3, (byte) 0x3f);
        }
        Step.Entry entry = Step.Entry.ofRows(1, program.length(1), 1, Step.Logits.NONE);
        return program.run(new Step(List.of(entry), row, Set.of()), Exchange.ALONE, new Cancel())
                .activations();
    }

    private static void loses(LoadedProgram program) {
        failNext();
        assertThatExceptionOfType(DeviceLostException.class)
                .isThrownBy(() -> run(program))
                .withMessage(
                        "the engine mlx lost its device: MLX failed: the stand-in's array cannot be computed; 1 session"
                                + " is gone with it: open new ones and send their tokens again");
    }

    @Test
    void theProgramIsLoadedAnewAndComputesTheSame() throws IOException {
        try (LoadedProgram program = load()) {
            ByteBuffer before = run(program);
            for (int i = 0; i < 2; i++) {
                loses(program);
                program.open(1, 9, RouterEdits.NONE);
                assertThat(program.length(1)).isZero();
                assertThat(run(program)).isEqualTo(before);
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
}
