package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.espalier.engine.library.LibraryProvider;
import org.espalier.program.Embed;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A slice by columns is copied in turns, each over 16 MiB of its file at most, so that a load which waits for a disk can be cancelled. */
@Timeout(60)
class CopiedSliceTest {

    private static final int COLUMNS = 8192;
    /** Of the file in a turn. */
    private static final int ROWS_OF_A_TURN = (16 << 20) / COLUMNS;

    private static final int ROWS = 5 * ROWS_OF_A_TURN / 2;

    @TempDir
    Path directory;

    private final Engine engine =
            EngineUnderTest.requireReady(LibraryProvider.cpu()).start();
    private final List<Long> told = new ArrayList<>();
    private Weight slice;
    private Program program;

    @BeforeEach
    void slice() {
        slice = RandomWeight.of(new Affine(8, 64, Element.BF16), ROWS, COLUMNS, new WeightFile(directory))
                .columns(COLUMNS / 2, COLUMNS / 4);
        ProgramBuilder builder = new ProgramBuilder("main", slice.columns());
        View out = builder.slot(slice.columns());
        builder.weight("w", slice);
        program = builder.op(new Embed("w", out)).build(out, out);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private LoadedProgram load(Cancel cancel, int turnsBeforeCancel) {
        Loading loading = new Loading(
                (done, of) -> {
                    told.add(done);
                    if (told.size() == turnsBeforeCancel) {
                        cancel.set();
                    }
                },
                cancel);
        return LoadedProgram.load(engine, program, EngineOptions.FLOAT32, loading);
    }

    @Test
    void aCancelIsSeenBetweenTurns() {
        assertThatExceptionOfType(CancelledException.class).isThrownBy(() -> load(new Cancel(), 2));
        assertThat(told).containsExactly(0L, 0L);
    }

    /** Values take three turns, in the last of which scales and biases begin. */
    @Test
    void whatIsCopiedInTurnsHasEveryRow() {
        int[] rows = {
            0,
            1,
            ROWS_OF_A_TURN - 1,
            ROWS_OF_A_TURN,
            ROWS_OF_A_TURN + 1,
            2 * ROWS_OF_A_TURN - 1,
            2 * ROWS_OF_A_TURN,
            ROWS - 1
        };
        float[][] expected = WeightFile.decoded(slice);
        try (LoadedProgram loaded = load(new Cancel(), Integer.MAX_VALUE)) {
            assertThat(told).hasSizeGreaterThan(3).endsWith(slice.bytes());
            loaded.open(1, rows.length, RouterEdits.NONE);
            Step step = new Step(List.of(Step.Entry.ofTokens(1, 0, rows, Step.Logits.NONE)), null, Set.of());
            StepResult result = loaded.run(step, Exchange.ALONE, new Cancel());
            float[][] actual = new Wire(Float.BYTES).unpack(result.activations(), rows.length, slice.columns());
            for (int i = 0; i < rows.length; i++) {
                assertThat(actual[i]).as("row %d", rows[i]).isEqualTo(expected[rows[i]]);
            }
        }
    }
}
