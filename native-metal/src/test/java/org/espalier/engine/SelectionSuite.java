package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.program.LatentAttention;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that an indexer chooses by scores in double, and latent attention over these rows and no others. */
abstract class SelectionSuite extends Suite {

    private static final int ROWS = 40;
    private static final int KEY = TinyProgram.ROW + TinyProgram.INDEX_HEADS * TinyProgram.INDEX_WIDTH;
    private static final int WEIGHTS = KEY + TinyProgram.INDEX_WIDTH;

    SelectionSuite(EngineUnderTest tested) {
        super(tested);
    }

    /** All rows in steps of {@code chunk}, [ROWS][2 heads * value]. */
    private float[][] run(float[][] rows, int topK, int chunk) {
        try (LoadedProgram program = tested.load(TinyProgram.latentOfChosen(new WeightFile(directory), topK))) {
            program.open(1, rows.length, RouterEdits.NONE);
            float[][] all = new float[rows.length][];
            for (int from = 0; from < rows.length; from += chunk) {
                int to = Math.min(rows.length, from + chunk);
                float[][] part = step(
                        program,
                        Arrays.copyOfRange(rows, from, to),
                        Step.Entry.ofRows(1, from, to - from, Step.Logits.NONE));
                System.arraycopy(part, 0, all, from, to - from);
            }
            return all;
        }
    }

    private static float[][] step(LoadedProgram program, float[][] rows, Step.Entry... entries) {
        Wire wire = new Wire(program.activationBytes());
        Step step = new Step(List.of(entries), wire.pack(rows, rows[0].length), Set.of());
        StepResult result = program.run(step, Exchange.ALONE, new Cancel());
        return wire.unpack(result.activations(), rows.length, 2 * TinyProgram.VALUE);
    }

    /** The rows up to t with the greatest scores, the earlier ones of a tie, ascending. */
    private static int[] chosen(float[][] rows, int t, int topK) {
        double[] scores = IntStream.rangeClosed(0, t)
                .mapToDouble(s -> score(rows[t], rows[s]))
                .toArray();
        return IntStream.rangeClosed(0, t)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer s) -> -scores[s]).thenComparing(s -> s))
                .limit(topK)
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }

    private static double score(float[] query, float[] key) {
        double score = 0;
        for (int h = 0; h < TinyProgram.INDEX_HEADS; h++) {
            double dot = 0;
            for (int i = 0; i < TinyProgram.INDEX_WIDTH; i++) {
                dot += (double) query[TinyProgram.ROW + h * TinyProgram.INDEX_WIDTH + i] * key[KEY + i];
            }
            score += query[WEIGHTS + h] * Math.max(0, dot);
        }
        return score + 0.0; // -0 ties with 0
    }

    private static Expected[][] expected(float[][] rows, int topK) {
        int[][] seen = new int[rows.length][];
        Arrays.setAll(seen, t -> chosen(rows, t, topK));
        return AttentionSuite.latent(rows, seen);
    }

    private float[][] rows(long seed) {
        return tested.rows(seed, ROWS, TinyProgram.ROW + TinyProgram.INDEX_ROW);
    }

    /** One row, the half, all but one, as many as there are, and more. */
    @ParameterizedTest
    @ValueSource(ints = {1, 20, 39, 40, 1000})
    void attentionSeesTheRowsWithTheGreatestScores(int topK) {
        float[][] rows = rows(80);
        tested.differences().compare(LatentAttention.class, run(rows, topK, ROWS), expected(rows, topK));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 16})
    void chunksOfAnyLengthChooseTheSameRows(int chunk) {
        float[][] rows = rows(81);
        tested.differences().compare(LatentAttention.class, run(rows, 7, chunk), expected(rows, 7));
    }

    /** Most keys score exactly 0, few above and few below; a weight below 0 makes -0 of relu's 0, which is the same. */
    @Test
    void ofEqualScoresTheEarlierRowsAreChosen() {
        float[][] rows = rows(82);
        for (int t = 0; t < ROWS; t++) {
            Arrays.fill(rows[t], TinyProgram.ROW, rows[t].length, 0);
            rows[t][TinyProgram.ROW] = 1; // head 0 looks at column 0 of the key, head 1 at column 1
            rows[t][TinyProgram.ROW + TinyProgram.INDEX_WIDTH + 1] = 1;
            rows[t][KEY] = t % 9 == 5 ? 2 : -1;
            rows[t][KEY + 1] = t % 4 == 1 ? 3 : -2;
            rows[t][WEIGHTS] = t % 2 == 0 ? 0.5f : -0.5f;
            rows[t][WEIGHTS + 1] = -0.25f;
        }
        assertThat(chosen(rows, 20, 6)).containsExactly(0, 2, 3, 4, 5, 14); // 14 scores 1 and 5 scores 1 - 0.75
        assertThat(chosen(rows, 21, 6)).containsExactly(0, 2, 3, 4, 6, 7); // none scores more than 0
        tested.differences().compare(LatentAttention.class, run(rows, 6, ROWS), expected(rows, 6));
    }

    @Test
    void sessionsInOneStepChooseAmongTheirOwnRows() {
        float[][] one = rows(83);
        float[][] two = rows(84);
        try (LoadedProgram program = tested.load(TinyProgram.latentOfChosen(new WeightFile(directory), 5))) {
            program.open(1, ROWS, RouterEdits.NONE);
            program.open(2, ROWS, RouterEdits.NONE);
            step(program, Arrays.copyOf(one, 30), Step.Entry.ofRows(1, 0, 30, Step.Logits.NONE));
            step(program, Arrays.copyOf(two, 4), Step.Entry.ofRows(2, 0, 4, Step.Logits.NONE));
            float[][] both = new float[12][];
            System.arraycopy(two, 4, both, 0, 10);
            System.arraycopy(one, 30, both, 10, 2);
            float[][] actual = step(
                    program,
                    both,
                    Step.Entry.ofRows(2, 4, 10, Step.Logits.NONE),
                    Step.Entry.ofRows(1, 30, 2, Step.Logits.NONE));
            Expected[][] expected = new Expected[12][];
            System.arraycopy(expected(two, 5), 4, expected, 0, 10);
            System.arraycopy(expected(one, 5), 30, expected, 10, 2);
            tested.differences().compare(LatentAttention.class, actual, expected);
        }
    }

    /** What was cut off is not chosen from, nor what a fork goes on with. */
    @Test
    void afterACutAndInAForkTheRowsOfTheSessionAreChosenFrom() {
        float[][] rows = rows(85);
        float[][] others = rows(86);
        try (LoadedProgram program = tested.load(TinyProgram.latentOfChosen(new WeightFile(directory), 5))) {
            program.open(1, ROWS, RouterEdits.NONE);
            step(program, Arrays.copyOf(rows, 20), Step.Entry.ofRows(1, 0, 20, Step.Logits.NONE));
            step(program, Arrays.copyOf(others, 15), Step.Entry.ofRows(1, 20, 15, Step.Logits.NONE));
            program.truncate(1, 20);
            program.fork(1, 2, 10);
            step(program, Arrays.copyOf(others, 20), Step.Entry.ofRows(2, 10, 20, Step.Logits.NONE));
            program.truncate(2, 10);
            Expected[][] expected = expected(rows, 5);
            float[][] whole =
                    step(program, Arrays.copyOfRange(rows, 20, ROWS), Step.Entry.ofRows(1, 20, 20, Step.Logits.NONE));
            tested.differences().compare(LatentAttention.class, whole, Arrays.copyOfRange(expected, 20, ROWS));
            float[][] fork =
                    step(program, Arrays.copyOfRange(rows, 10, ROWS), Step.Entry.ofRows(2, 10, 30, Step.Logits.NONE));
            tested.differences().compare(LatentAttention.class, fork, Arrays.copyOfRange(expected, 10, ROWS));
        }
    }
}
