package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.espalier.engine.library.LibraryProvider;
import org.espalier.program.Linear;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.View;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A file that is cut short while it is mapped would end the process with a signal; of one that is written over, steps would compute with what was written
 * so far.
 */
@Timeout(60)
class CutFileTest {

    private static final int WIDTH = 512;
    private static final int LAYERS = 8;
    private static final String CUT = "cut short";

    @TempDir
    Path directory;

    private final Engine engine =
            EngineUnderTest.requireReady(LibraryProvider.cpu()).start();

    @AfterEach
    void close() {
        engine.close();
    }

    /** 8 MiB in one file. */
    private Program program(WeightFile file) {
        ProgramBuilder builder = new ProgramBuilder("main", WIDTH);
        View[] x = {builder.slot(WIDTH), builder.slot(WIDTH)};
        for (int layer = 0; layer < LAYERS; layer++) {
            String name = builder.weight("w" + layer, file.floats(WeightFile.random(layer, WIDTH, WIDTH)));
            builder.op(new Linear(x[layer % 2], Projection.of(name), x[(layer + 1) % 2]));
        }
        return builder.build(x[0], x[LAYERS % 2]);
    }

    private static void cut(WeightFile file, long size) throws IOException {
        try (FileChannel channel = FileChannel.open(file.path(), StandardOpenOption.WRITE)) {
            channel.truncate(size);
        }
    }

    private LoadedProgram load(Program program) {
        EngineOptions options = new EngineOptions(
                Precision.FLOAT32, EngineOptions.Group.ALONE, EngineOptions.KvType.F32, 0, 2, Set.of());
        LoadedProgram loaded = LoadedProgram.load(engine, program, options, Loading.quietly());
        loaded.open(1, 1 << 20, RouterEdits.NONE);
        return loaded;
    }

    private static void step(LoadedProgram loaded) {
        ByteBuffer rows = ByteBuffer.allocate(WIDTH * Float.BYTES);
        Step.Entry entry = Step.Entry.ofRows(1, loaded.length(1), 1, Step.Logits.NONE);
        loaded.run(new Step(List.of(entry), rows, Set.of()), Exchange.ALONE, new Cancel());
    }

    /** By much, which is a fault where it is read; and within its last page, where zeros are read. */
    @ParameterizedTest
    @ValueSource(longs = {100_000, LAYERS * (long) WIDTH * WIDTH * Float.BYTES - 4})
    void aStepSaysThatItsFileWasCut(long size) throws IOException {
        WeightFile file = new WeightFile(directory);
        try (LoadedProgram loaded = load(program(file))) {
            step(loaded);
            cut(file, size);
            for (int again = 0; again < 2; again++) {
                assertThatThrownBy(() -> step(loaded))
                        .isInstanceOf(EngineException.class)
                        .hasMessageContaining(CUT)
                        .hasMessageContaining(file.path().toString());
            }
            assertThat(loaded.length(1)).as("rows of the step before").isEqualTo(1);
        }
    }

    @Test
    void aFileMayBeCutDuringAStep() throws Exception {
        WeightFile file = new WeightFile(directory);
        try (LoadedProgram loaded = load(program(file))) {
            Thread cutter = new Thread(() -> {
                try {
                    for (int layer = LAYERS - 1; layer >= 0; layer--) {
                        Thread.sleep(3);
                        cut(file, layer * (long) WIDTH * WIDTH * Float.BYTES);
                    }
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            step(loaded);
            cutter.start();
            assertThatThrownBy(() -> {
                        while (true) {
                            step(loaded);
                        }
                    })
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining(CUT);
            cutter.join();
        }
    }

    private static void write(Path file, long offset) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(Float.BYTES), offset);
        }
    }

    /** As a copy in place does at last: the size is what it was. */
    @Test
    void aStepSaysThatItsFileWasWrittenOver() throws IOException {
        WeightFile file = new WeightFile(directory);
        Program program = program(file);
        Files.setLastModifiedTime(file.path(), FileTime.fromMillis(1));
        try (LoadedProgram loaded = load(program)) {
            step(loaded);
            write(file.path(), 1);
            for (int again = 0; again < 2; again++) {
                assertThatThrownBy(() -> step(loaded))
                        .isInstanceOf(EngineException.class)
                        .hasMessage(
                                "the weights' file %s was changed while it was in use: load the model again",
                                file.path());
            }
            assertThat(loaded.length(1)).as("rows of the step before").isEqualTo(1);
        }
        try (LoadedProgram loaded = load(program)) {
            step(loaded);
        }
    }

    @Test
    void aFileIsComparedToTheNanosecond() throws IOException {
        WeightFile file = new WeightFile(directory);
        Program program = program(file);
        FileTime before = FileTime.from(Instant.ofEpochSecond(1_000_000_000, 1_000));
        FileTime after = FileTime.from(Instant.ofEpochSecond(1_000_000_000, 2_000));
        Files.setLastModifiedTime(file.path(), after);
        assumeTrue(Files.getLastModifiedTime(file.path()).equals(after), "this file system keeps no microseconds");
        Files.setLastModifiedTime(file.path(), before);
        try (LoadedProgram loaded = load(program)) {
            step(loaded);
            Files.setLastModifiedTime(file.path(), after);
            assertThatThrownBy(() -> step(loaded)).hasMessageContaining("was changed while it was in use");
        }
    }

    /** The layers that {@code pull --layers} fetched go on while it fetches more of them into the same file. */
    @Test
    void whatIsMissingOfAFileMayBeFetchedMeanwhile() throws IOException {
        WeightFile file = new WeightFile(directory);
        Program program = program(file);
        long size = Files.size(file.path());
        Files.writeString(file.path().resolveSibling(file.path().getFileName() + ".ranges.json"), "{}");
        Files.setLastModifiedTime(file.path(), FileTime.fromMillis(1));
        try (LoadedProgram loaded = load(program)) {
            step(loaded);
            write(file.path(), size);
            step(loaded);
            cut(file, size / 2);
            assertThatThrownBy(() -> step(loaded)).hasMessageContaining(CUT);
        }
    }

    @Test
    void anotherProgramIsNotHarmed() throws IOException {
        WeightFile file = new WeightFile(directory);
        WeightFile other = new WeightFile(Files.createDirectory(directory.resolve("other")));
        try (LoadedProgram cut = load(program(file));
                LoadedProgram whole = load(program(other))) {
            cut(file, 0);
            assertThatThrownBy(() -> step(cut)).hasMessageContaining(CUT);
            step(whole);
            assertThat(whole.length(1)).isEqualTo(1);
        }
    }
}
