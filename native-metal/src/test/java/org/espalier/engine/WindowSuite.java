package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.espalier.engine.Step.Entry;
import org.espalier.engine.Step.Logits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sessions whose layers see a window keep few rows, and yet their logits are those of one step over everything. */
abstract class WindowSuite extends Suite {

    WindowSuite(EngineUnderTest tested) {
        super(tested);
    }

    private static final int WINDOW = 5;
    private static final int LENGTH = 400;

    private final int[] prompt = new int[LENGTH];
    private LoadedProgram program;
    private float[][] expected;

    @BeforeEach
    void load() {
        Arrays.setAll(prompt, i -> i * i % TinyProgram.VOCABULARY);
        program = tested.load(TinyProgram.tokens(new WeightFile(directory), WINDOW));
        program.open(0, LENGTH, RouterEdits.NONE);
        expected = run(0, 0, LENGTH);
        program.open(1, LENGTH, RouterEdits.NONE);
    }

    @AfterEach
    void close() {
        program.close();
    }

    private float[][] run(long session, int from, int to) {
        return program.run(step(session, from, to), Exchange.ALONE, new Cancel())
                .logits();
    }

    private Step step(long session, int from, int to) {
        int[] tokens = Arrays.copyOfRange(prompt, from, to);
        return new Step(List.of(Entry.ofTokens(session, from, tokens, Logits.ALL)), null, Set.of());
    }

    private void assertSameFrom(float[][] logits, int from) {
        for (int i = 0; i < logits.length; i++) {
            assertThat(logits[i]).as("row %d", from + i).containsExactly(expected[from + i], within((float)
                    Tolerance.ofLogits(tested.precision())));
        }
    }

    @Test
    void chunksOfAnyLengthYieldTheLogitsOfOneShot() {
        int from = 0;
        for (int rows : new int[] {1, 4, 70, 1, 1, 130, 64, 65, 3, 61}) {
            assertSameFrom(run(1, from, from + rows), from);
            from += rows;
        }
        assertThat(from).isEqualTo(LENGTH);
    }

    @Test
    void cuttingUpToTheSpareRowsIsExact() {
        run(1, 0, 300);
        program.truncate(1, 300 - 40);
        program.truncate(1, 300 - 64);
        assertSameFrom(run(1, 236, 250), 236);
    }

    /** The next row sees itself and the 4 before it, so that one more than the spare rows can go. */
    @Test
    void theLastCutThatIsExactAndTheFirstThatIsNot() {
        run(1, 0, 300);
        assertThatExceptionOfType(EngineException.class).isThrownBy(() -> program.truncate(1, 234));
        program.truncate(1, 235);
        assertSameFrom(run(1, 235, 250), 235);
    }

    @Test
    void cuttingMoreIsRefusedAndTheSessionGoesOn() {
        run(1, 0, 300);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> program.truncate(1, 200))
                .withMessage(
                        "session 1 has 300 rows and cannot be truncated to 200: layers with a sliding window keep only"
                                + " 64 rows beyond it; open a new session and send its tokens again");
        assertThatExceptionOfType(EngineException.class).isThrownBy(() -> program.fork(1, 2, 200));
        assertSameFrom(run(1, 300, 310), 300);
    }

    @Test
    void aShortSessionMayBeCutAnywhere() {
        run(1, 0, WINDOW + 64);
        program.truncate(1, 2);
        assertSameFrom(run(1, 2, 100), 2);
        program.truncate(1, 99);
        program.fork(1, 2, 90);
        assertSameFrom(run(2, 90, 95), 90);
        assertSameFrom(run(1, 99, 110), 99);
    }

    @Test
    void whatEitherSideOfAForkWritesTheOtherDoesNotSee() {
        run(1, 0, 200);
        program.fork(1, 2, 190);
        int[] other = new int[100];
        Arrays.fill(other, 7);
        program.truncate(1, 180);
        program.run(Step.of(Entry.ofTokens(1, 180, other, Logits.NONE)), Exchange.ALONE, new Cancel());
        assertSameFrom(run(2, 190, 300), 190);
        program.fork(2, 3, 300);
        program.run(Step.of(Entry.ofTokens(2, 300, other, Logits.NONE)), Exchange.ALONE, new Cancel());
        assertSameFrom(run(3, 300, 400), 300);
    }

    @Test
    void aCancelledStepLongerThanTheSpareRowsLeavesTheSessionAsItWas() {
        run(1, 0, 100);
        Cancel during = new Cancel();
        assertThatExceptionOfType(CancelledException.class)
                .isThrownBy(() -> program.run(step(1, 100, 400), OneNodeExchange.of(partial -> during.set()), during));
        assertThat(program.length(1)).isEqualTo(100);
        assertSameFrom(run(1, 100, 110), 100);
    }
}
