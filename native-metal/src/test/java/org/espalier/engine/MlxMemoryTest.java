package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.program.Activation;
import org.espalier.program.Embed;
import org.espalier.program.GatedMlp;
import org.espalier.program.GatedUnit;
import org.espalier.program.Linear;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.View;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What does not fit is refused before anything is allocated: MLX on the processor ends the process where it gets no memory. */
final class MlxMemoryTest {

    @TempDir
    Path directory;

    private EngineUnderTest tested;

    @BeforeEach
    void start() {
        tested = new EngineUnderTest(MlxSuite.requireMlx(), Precision.FLOAT32);
    }

    @AfterEach
    void close() {
        if (tested != null) {
            tested.close();
        }
    }

    @Test
    void sessionsBeyondTheMemoryOfTheDevice() {
        try (LoadedProgram program = tested.load(TinyProgram.tokens(new WeightFile(directory)))) {
            long session = 1;
            while (program.kvRowsFree() >= Integer.MAX_VALUE) {
                program.open(session++, Integer.MAX_VALUE / 2, RouterEdits.NONE);
            }
            long refused = session;
            int free = (int) program.kvRowsFree();
            assertThatExceptionOfType(NoMemoryException.class)
                    .isThrownBy(() -> program.open(refused, free + 1, RouterEdits.NONE))
                    .withMessageMatching("session " + refused + " of " + (free + 1) + " rows needs " + 32L * (free + 1)
                            + " bytes of KV cache, \\d+ of the device's memory are free: close other sessions, or open a"
                            + " shorter one");
            program.open(refused, free, RouterEdits.NONE);
            assertThat(program.kvRowsFree()).isZero();
            program.close(refused);
            assertThat(program.kvRowsFree()).isEqualTo(free);
        }
    }

    /** What is promised to sessions of one program, though they have not grown yet, is not to be had for another. */
    @Test
    void sessionsOfTwoProgramsBeyondTheMemoryOfTheDevice() {
        Program tiny = TinyProgram.tokens(new WeightFile(directory));
        try (LoadedProgram program = tested.load(tiny)) {
            long session = 1;
            while (program.kvRowsFree() >= Integer.MAX_VALUE) {
                program.open(session++, Integer.MAX_VALUE / 2, RouterEdits.NONE);
            }
            int most = (int) program.kvRowsFree();
            int free;
            try (LoadedProgram other = tested.load(tiny)) {
                free = (int) other.kvRowsFree();
                assertThat(free).isEqualTo((int) program.kvRowsFree()).isBetween(most - (1 << 16), most - 1);
                other.open(1, free, RouterEdits.NONE);
                assertThat(program.kvRowsFree()).isZero();
                long refused = session;
                assertThatExceptionOfType(NoMemoryException.class)
                        .isThrownBy(() -> program.open(refused, 1, RouterEdits.NONE))
                        .withMessageMatching("session " + refused + " of 1 rows needs 32 bytes of KV cache, \\d+ of the"
                                + " device's memory are free: close other sessions, or open a shorter one");
                assertThatExceptionOfType(NoMemoryException.class)
                        .isThrownBy(() -> tested.load(tiny))
                        .withMessageContaining("of the device's");
                other.close(1);
                assertThat(program.kvRowsFree()).isEqualTo(free);
            }
            assertThat(program.kvRowsFree()).isEqualTo(most);
        }
    }

    /** Of a file that is a hole. */
    @Test
    void weightsBeyondTheMemoryOfTheDevice() throws IOException {
        int width = 1 << 15;
        long matrix = 4L * width * width;
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        int matrices = (int) (system.getTotalMemorySize() / matrix) + 1;
        Path file = directory.resolve("hole");
        try (RandomAccessFile hole = new RandomAccessFile(file.toFile(), "rw")) {
            hole.setLength(matrices * matrix);
        }
        ProgramBuilder builder = new ProgramBuilder("large", width);
        View x = builder.slot(width);
        View y = builder.slot(width);
        for (int i = 0; i < matrices; i++) {
            Region region = new Region(file, i * matrix, 4L * width);
            String name = builder.weight("w" + i, Weight.matrix(width, width, Plain.F32, Piece.of(region)));
            builder.op(new Linear(x, Projection.of(name), y));
        }
        Program large = builder.build(x, y);
        long free = freeWhereRefused(large, matrices * matrix);
        assertThat(free).isPositive();
        try (LoadedProgram other = tested.load(TinyProgram.tokens(new WeightFile(directory)))) {
            assertThat(free - freeWhereRefused(large, matrices * matrix))
                    .as("what another program takes is not free")
                    .isBetween(other.residentBytes(), other.residentBytes() + (1 << 16));
        }
        assertThat(freeWhereRefused(large, matrices * matrix)).isEqualTo(free);
    }

    private long freeWhereRefused(Program large, long bytes) {
        Throwable refusal = catchThrowable(() -> tested.load(large));
        assertThat(refusal).isInstanceOf(NoMemoryException.class);
        Matcher message = Pattern.compile("the weights take " + bytes + " bytes, of the device's \\d+ are free (\\d+):"
                        + " place the model on more nodes, or close other models")
                .matcher(refusal.getMessage());
        assertThat(message.matches()).as(refusal.getMessage()).isTrue();
        return Long.parseLong(message.group(1));
    }

    /** A slot so wide that a step of few rows fits and one of many does not. The program serves on. */
    @Test
    void aStepBeyondTheMemoryOfTheDevice() throws IOException {
        int hidden = 8;
        int wide = 1 << 22;
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        int rows = (int) (system.getTotalMemorySize() / (4L * wide)) + 1;
        Path file = directory.resolve("hole");
        try (RandomAccessFile hole = new RandomAccessFile(file.toFile(), "rw")) {
            hole.setLength(4L * wide * hidden);
        }
        Region region = new Region(file, 0, 4L * hidden);
        ProgramBuilder builder = new ProgramBuilder("wide", hidden);
        View x = builder.slot(hidden);
        View y = builder.slot(wide);
        builder.weight("words", Weight.matrix(16, hidden, Plain.F32, Piece.of(region)));
        String up = builder.weight("up", Weight.matrix(wide, hidden, Plain.F32, Piece.of(region)));
        builder.op(new Embed("words", x)).op(new Linear(x, Projection.of(up), y));
        try (LoadedProgram program = tested.load(builder.build(x, x))) {
            program.open(1, rows + 2, RouterEdits.NONE);
            assertThat(run(program, 1).activations().remaining()).isEqualTo(4 * hidden);
            assertThatExceptionOfType(NoMemoryException.class)
                    .isThrownBy(() -> run(program, rows))
                    .withMessage("no memory for a step of " + rows + " rows: send fewer rows a step");
            assertThat(program.length(1)).isEqualTo(1);
            assertThat(run(program, 1).activations().remaining()).isEqualTo(4 * hidden);
        }
    }

    /** A gated MLP so wide that its own values of many rows do not fit, though slots are narrow. The program serves on. */
    @Test
    void anOpBeyondTheMemoryOfTheDevice() throws IOException {
        int hidden = 8;
        int wide = 1 << 20;
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        int rows = (int) (system.getTotalMemorySize() / (4L * wide));
        Path file = directory.resolve("hole");
        try (RandomAccessFile hole = new RandomAccessFile(file.toFile(), "rw")) {
            hole.setLength(4L * wide * hidden);
        }
        ProgramBuilder builder = new ProgramBuilder("wide", hidden);
        View x = builder.slot(hidden);
        View y = builder.slot(hidden);
        Piece in = Piece.of(new Region(file, 0, 4L * hidden));
        builder.weight("words", Weight.matrix(16, hidden, Plain.F32, in));
        builder.weight("gate", Weight.matrix(wide, hidden, Plain.F32, in));
        builder.weight("up", Weight.matrix(wide, hidden, Plain.F32, in));
        builder.weight("down", Weight.matrix(hidden, wide, Plain.F32, Piece.of(new Region(file, 0, 4L * wide))));
        GatedUnit unit = GatedUnit.of("gate", "up", "down", new Activation.Silu());
        builder.op(new Embed("words", x)).op(new GatedMlp(x, unit, y));
        try (LoadedProgram program = tested.load(builder.build(x, y))) {
            program.open(1, rows + 2, RouterEdits.NONE);
            assertThat(run(program, 1).activations().remaining()).isEqualTo(4 * hidden);
            assertThatExceptionOfType(NoMemoryException.class)
                    .isThrownBy(() -> run(program, rows))
                    .withMessage("no memory for a step of " + rows + " rows: send fewer rows a step");
            assertThat(program.length(1)).isEqualTo(1);
            assertThat(run(program, 1).activations().remaining()).isEqualTo(4 * hidden);
        }
    }

    private static StepResult run(LoadedProgram program, int rows) {
        Step step = Step.of(Step.Entry.ofTokens(1, program.length(1), new int[rows], Step.Logits.NONE));
        return program.run(step, Exchange.ALONE, new Cancel());
    }
}
