package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.espalier.engine.Step.Entry;
import org.espalier.engine.Step.Logits;
import org.espalier.program.Cache;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sessions whose layers keep a state: however rows come, the logits are those of one step over everything, and going back needs a snapshot. */
abstract class StateSuite extends Suite {

    private static final int LENGTH = 200;

    private final int[] prompt = new int[LENGTH];
    private LoadedProgram program;
    private float[][] expected;

    StateSuite(EngineUnderTest tested) {
        super(tested);
    }

    @BeforeEach
    void load() {
        Arrays.setAll(prompt, i -> (i * i + i / 7) % TinyProgram.VOCABULARY);
        program = tested.load(TinyProgram.states(new WeightFile(directory)));
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

    private void other(long session, int from, int rows) {
        int[] tokens = new int[rows];
        Arrays.fill(tokens, 7);
        program.run(Step.of(Entry.ofTokens(session, from, tokens, Logits.NONE)), Exchange.ALONE, new Cancel());
    }

    @Test
    void chunksOfAnyLengthYieldTheLogitsOfOneShot() {
        int from = 0;
        for (int rows : new int[] {1, 1, 2, 63, 1, 64, 65, 3}) {
            assertSameFrom(run(1, from, from + rows), from);
            from += rows;
        }
        assertThat(from).isEqualTo(LENGTH);
    }

    @Test
    void sessionsInOneStepAreAsEachAlone() {
        program.open(2, LENGTH, RouterEdits.NONE);
        run(1, 0, 80);
        run(2, 0, 5);
        Entry one = Entry.ofTokens(1, 80, Arrays.copyOfRange(prompt, 80, 81), Logits.ALL);
        Entry two = Entry.ofTokens(2, 5, Arrays.copyOfRange(prompt, 5, 90), Logits.ALL);
        float[][] logits =
                program.run(Step.of(one, two), Exchange.ALONE, new Cancel()).logits();
        assertSameFrom(Arrays.copyOfRange(logits, 0, 1), 80);
        assertSameFrom(Arrays.copyOfRange(logits, 1, 86), 5);
    }

    private void assertRefused(ThrowingCallable call, int length, String why) {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(call)
                .withMessage(
                        "session 1 has 30 rows and cannot be truncated to " + length + ": layers with a state can go"
                                + " back only to nothing or to a snapshot, and there is " + why
                                + "; open a new session and send its tokens again");
    }

    @Test
    void withoutASnapshotItIsCutToNothingOrToWhatItIs() {
        run(1, 0, 30);
        assertRefused(() -> program.truncate(1, 29), 29, "none");
        assertRefused(() -> program.checkTruncate(1, 1), 1, "none");
        assertRefused(() -> program.fork(1, 2, 29), 29, "none");
        program.truncate(1, 30);
        assertSameFrom(run(1, 30, 40), 30);
        program.truncate(1, 0);
        assertThat(program.length(1)).isZero();
        assertSameFrom(run(1, 0, 40), 0);
    }

    @Test
    void itGoesBackToASnapshotAsOftenAsAsked() {
        run(1, 0, 10);
        program.snapshot(1);
        program.snapshot(1);
        run(1, 10, 20);
        program.snapshot(1);
        other(1, 20, 10);
        assertRefused(() -> program.truncate(1, 15), 15, "one at 10, 20");
        program.truncate(1, 20);
        assertSameFrom(run(1, 20, 25), 20);
        program.truncate(1, 10);
        other(1, 10, 20);
        assertRefused(() -> program.truncate(1, 20), 20, "one at 10");
        program.truncate(1, 10);
        assertSameFrom(run(1, 10, 30), 10);
        program.dropSnapshot(1, 10);
        program.dropSnapshot(1, 11);
        assertRefused(() -> program.truncate(1, 10), 10, "none");
        assertSameFrom(run(1, 30, 31), 30);
    }

    @Test
    void aForkBeginsWhereASnapshotOrTheSessionIs() {
        run(1, 0, 20);
        program.snapshot(1);
        run(1, 20, 30);
        program.fork(1, 2, 20);
        program.fork(1, 3, 30);
        program.fork(1, 4, 0);
        other(1, 30, 5);
        assertSameFrom(run(2, 20, 50), 20);
        assertSameFrom(run(3, 30, 50), 30);
        assertSameFrom(run(4, 0, 50), 0);
        assertThatExceptionOfType(EngineException.class)
                .as("a fork has no snapshots")
                .isThrownBy(() -> program.truncate(2, 20));
        other(2, 50, 3);
        program.truncate(1, 20);
        assertSameFrom(run(1, 20, 40), 20);
    }

    @Test
    void aCancelledStepLeavesTheStateAsItWas() {
        run(1, 0, 70);
        Cancel during = new Cancel();
        assertThatExceptionOfType(CancelledException.class)
                .isThrownBy(() -> program.run(step(1, 70, 170), OneNodeExchange.of(partial -> during.set()), during));
        assertThat(program.length(1)).isEqualTo(70);
        assertSameFrom(run(1, 70, 170), 70);
    }

    @Test
    void snapshotsAreLimited() {
        for (int length = 1; length <= Cache.State.SNAPSHOTS; length++) {
            run(1, length - 1, length);
            program.snapshot(1);
        }
        run(1, 8, 9);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> program.snapshot(1))
                .withMessage(
                        "no snapshot of session 1 can be taken: it has snapshots at 1, 2, 3, 4, 5, 6, 7, 8, the most"
                                + " that are kept");
        program.dropSnapshot(1, 3);
        program.snapshot(1);
        run(1, 9, 12);
        program.truncate(1, 9);
        assertSameFrom(run(1, 9, 20), 9);
    }

    @Test
    void snapshotsCountInMemory() {
        long bytes = program.stateBytes();
        assertThat(bytes).as("convolution and delta rule").isEqualTo((2 * 14 + 2 * 4 * 3) * Float.BYTES);
        EngineOptions options = tested.options().withKv(EngineOptions.KvType.F32, 3 * bytes);
        try (LoadedProgram limited = tested.load(TinyProgram.states(new WeightFile(directory)), options)) {
            limited.open(5, LENGTH, RouterEdits.NONE);
            for (int length = 1; length <= 2; length++) {
                limited.run(step(5, length - 1, length), Exchange.ALONE, new Cancel());
                limited.snapshot(5);
            }
            limited.run(step(5, 2, 3), Exchange.ALONE, new Cancel());
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> limited.snapshot(5))
                    .withMessageContaining(
                            "a snapshot of session 5 needs " + bytes + " bytes of KV cache, 0 of " + 3 * bytes);
            limited.truncate(5, 1);
            limited.open(6, LENGTH, RouterEdits.NONE);
        }
    }
}
