package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.espalier.engine.Step.Entry;
import org.espalier.engine.Step.Logits;
import org.espalier.program.Program;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** KV state: however rows come to a session, its logits are those of one prefill. */
abstract class SessionSuite extends Suite {

    private final Function<WeightFile, Program> make;

    /** @param make tokens to logits by a head of seed 34 */
    SessionSuite(EngineUnderTest tested, Function<WeightFile, Program> make) {
        super(tested);
        this.make = make;
    }

    private static final int[] PROMPT = {3, 1, 4, 1, 5, 9, 2, 6, 5};

    private LoadedProgram program;

    @BeforeEach
    void load() {
        program = tested.load(make.apply(new WeightFile(directory)));
    }

    @AfterEach
    void close() {
        program.close();
    }

    private void open(long session) {
        program.open(session, 20, RouterEdits.NONE);
    }

    private float[][] run(Entry... entries) {
        return program.run(new Step(List.of(entries), null, Set.of()), Exchange.ALONE, new Cancel())
                .logits();
    }

    private static Entry tokens(long session, int from, int to) {
        return Entry.ofTokens(session, from, Arrays.copyOfRange(PROMPT, from, to), Logits.ALL);
    }

    /** Logits of the whole prompt in one step of a session of its own. */
    private float[][] oneShot() {
        open(1000);
        float[][] logits = run(tokens(1000, 0, PROMPT.length));
        program.close(1000);
        return logits;
    }

    private void assertSame(float[] actual, float[] expected) {
        assertThat(actual).containsExactly(expected, within((float) Tolerance.ofLogits(tested.precision())));
    }

    @Test
    void chunksAndSingleTokensYieldTheLogitsOfOneShot() {
        float[][] expected = oneShot();
        for (int chunk : new int[] {1, 2, 4, 8}) {
            open(chunk);
            for (int from = 0; from < PROMPT.length; from += chunk) {
                int to = Math.min(PROMPT.length, from + chunk);
                float[][] logits = run(tokens(chunk, from, to));
                for (int i = from; i < to; i++) {
                    assertSame(logits[i - from], expected[i]);
                }
            }
            assertThat(program.length(chunk)).isEqualTo(PROMPT.length);
        }
    }

    @Test
    void sessionsInOneStepAreAsEachAlone() {
        float[][] expected = oneShot();
        open(1);
        open(2);
        run(tokens(1, 0, 5));
        run(tokens(2, 0, 2));
        float[][] logits = run(tokens(1, 5, 6), tokens(2, 2, 6));
        assertThat(logits).hasDimensions(5, TinyProgram.VOCABULARY);
        assertSame(logits[0], expected[5]);
        for (int i = 0; i < 4; i++) {
            assertSame(logits[1 + i], expected[2 + i]);
        }
    }

    @Test
    void logitsComeForTheWantedRowsOnlyInOrderOfEntries() {
        float[][] expected = oneShot();
        open(1);
        open(2);
        open(3);
        int[] start = Arrays.copyOf(PROMPT, 3);
        float[][] logits = run(
                Entry.ofTokens(1, 0, start, Logits.LAST),
                Entry.ofTokens(2, 0, start, Logits.NONE),
                Entry.ofTokens(3, 0, start, Logits.ALL));
        assertThat(logits).hasDimensions(4, TinyProgram.VOCABULARY);
        assertSame(logits[0], expected[2]);
        assertSame(logits[1], expected[0]);
        assertSame(logits[3], expected[2]);
    }

    @Test
    void truncatedRowsAreForgotten() {
        float[][] expected = oneShot();
        open(1);
        run(tokens(1, 0, 3));
        run(Entry.ofTokens(1, 3, new int[] {7, 7, 7, 7}, Logits.NONE));
        program.truncate(1, 3);
        assertThat(program.length(1)).isEqualTo(3);
        assertSame(run(tokens(1, 3, 9))[5], expected[8]);
    }

    @Test
    void aForkHasTheFirstRowsAndGoesItsOwnWay() {
        float[][] expected = oneShot();
        open(1);
        run(tokens(1, 0, 6));
        program.fork(1, 2, 4);
        assertThat(program.length(2)).isEqualTo(4);
        run(Entry.ofTokens(2, 4, new int[] {8, 8, 8}, Logits.NONE));
        program.fork(1, 3, 4);
        assertSame(run(tokens(1, 6, 9))[2], expected[8]);
        program.close(1);
        assertSame(run(tokens(3, 4, 9))[4], expected[8]);
    }

    /** Pages may be shared until one side writes: here each side does, in rows that the others have. */
    @Test
    void whatEitherSideOfAForkWritesTheOtherDoesNotSee() {
        float[][] expected = oneShot();
        open(1);
        run(tokens(1, 0, 7));
        program.fork(1, 2, 7);
        program.fork(2, 3, 5);
        program.truncate(1, 2);
        run(Entry.ofTokens(1, 2, new int[] {8, 8, 8, 8}, Logits.NONE));
        program.truncate(3, 1);
        run(Entry.ofTokens(3, 1, new int[] {7, 7, 7}, Logits.NONE));
        assertSame(run(tokens(2, 7, 9))[1], expected[8]);
        program.fork(2, 4, 8);
        program.truncate(2, 1);
        run(Entry.ofTokens(2, 1, new int[] {6, 6, 6}, Logits.NONE));
        program.truncate(1, 2);
        assertSame(run(tokens(1, 2, 9))[6], expected[8]);
        program.truncate(3, 1);
        assertSame(run(tokens(3, 1, 9))[7], expected[8]);
        assertSame(run(tokens(4, 8, 9))[0], expected[8]);
    }

    @Test
    void aClosedSessionMayBeOpenedAgainEmpty() {
        float[][] expected = oneShot();
        open(1);
        run(Entry.ofTokens(1, 0, new int[] {8, 8, 8}, Logits.NONE));
        program.close(1);
        program.close(1);
        open(1);
        assertThat(program.length(1)).isZero();
        assertSame(run(tokens(1, 0, 9))[8], expected[8]);
    }

    @Test
    void aStepCancelledBeforeOrWhileItRunsLeavesItsSessionsAsTheyWere() {
        float[][] expected = oneShot();
        open(1);
        run(tokens(1, 0, 4));
        Step step = new Step(List.of(Entry.ofTokens(1, 4, new int[] {7, 7}, Logits.ALL)), null, Set.of());
        Cancel before = new Cancel();
        before.set();
        assertThatExceptionOfType(CancelledException.class).isThrownBy(() -> program.run(step, Exchange.ALONE, before));
        Cancel during = new Cancel();
        assertThatExceptionOfType(CancelledException.class)
                .isThrownBy(() -> program.run(step, OneNodeExchange.of(partial -> during.set()), during));
        assertThat(program.length(1)).isEqualTo(4);
        assertSame(run(tokens(1, 4, 9))[4], expected[8]);
    }

    @Test
    void lastHiddenIsTheRowBeforeTheHead() {
        open(1);
        Step step = new Step(List.of(tokens(1, 0, 3)), null, Set.of(Step.Want.LAST_HIDDEN));
        StepResult result = program.run(step, Exchange.ALONE, new Cancel());
        float[][] hidden = new Wire(program.activationBytes()).unpack(result.lastHidden(), 3, TinyProgram.HIDDEN);
        float[][] head = WeightFile.random(34, TinyProgram.VOCABULARY, TinyProgram.HIDDEN);
        Expected[][] expected =
                Arrays.stream(hidden).map(row -> Expected.multiply(head, row)).toArray(Expected[][]::new);
        tested.differences().compare(org.espalier.program.Logits.class, result.logits(), expected);
    }

    @Test
    void aFailedStepLeavesEverySessionAsItWas() {
        open(1);
        open(2);
        run(tokens(1, 0, 2), tokens(2, 0, 2));
        Entry good = tokens(1, 2, 3);
        assertThatThrownBy(() -> run(good, Entry.ofTokens(2, 2, new int[] {11}, Logits.NONE)))
                .isInstanceOf(EngineException.class)
                .hasMessage("token 11 is not in the vocabulary of 11");
        assertThat(program.length(1)).isEqualTo(2);
        assertThat(program.length(2)).isEqualTo(2);
        assertSame(run(tokens(1, 2, 9))[6], oneShot()[8]);
    }
}
