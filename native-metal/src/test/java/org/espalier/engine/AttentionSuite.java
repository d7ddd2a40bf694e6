package org.espalier.engine;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.program.Add;
import org.espalier.program.Attention;
import org.espalier.program.LatentAttention;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Both kinds of attention against the sums of their papers, written out in double. */
abstract class AttentionSuite extends Suite {

    AttentionSuite(EngineUnderTest tested) {
        super(tested);
    }

    /** The first {@code width} columns that {@code program} makes of {@code rows}, in a step up to each of {@code ends} and one of the rest. */
    private float[][] run(Program program, float[][] rows, int width, int... ends) {
        float[][] all = new float[rows.length][];
        try (LoadedProgram loaded = tested.load(program)) {
            Wire wire = new Wire(loaded.activationBytes());
            loaded.open(1, rows.length, RouterEdits.NONE);
            for (int from = 0, i = 0; from < rows.length; i++) {
                int count = (i < ends.length ? ends[i] : rows.length) - from;
                Step.Entry entry = Step.Entry.ofRows(1, from, count, Step.Logits.NONE);
                float[][] some = Arrays.copyOfRange(rows, from, from + count);
                Step step = new Step(List.of(entry), wire.pack(some, program.hidden()), Set.of());
                StepResult result = loaded.run(step, Exchange.ALONE, new Cancel());
                System.arraycopy(wire.unpack(result.activations(), count, width), 0, all, from, count);
                from += count;
            }
        }
        return all;
    }

    /** Products of {@code width} numbers of two rows. */
    private static Expected score(double scale, float[] a, int from, float[] b, int to, int width) {
        Expected sum = Expected.ZERO;
        for (int i = 0; i < width; i++) {
            sum = sum.plus(scale * a[from + i] * b[to + i]);
        }
        return sum;
    }

    /** Of values [rows seen][at] by the softmax of scores; a score more than there are values adds nothing. */
    private static Expected mix(Expected[] scores, float[][] rows, int first, int at) {
        Expected[] shares = Expected.softmax(scores);
        Expected sum = Expected.ZERO;
        for (int s = first; s < rows.length && s - first < shares.length; s++) {
            sum = sum.plus(shares[s - first].times(rows[s][at]));
        }
        return sum;
    }

    static List<List<Integer>> kvHeads() {
        return List.of(Attention.grouped(4, 2), List.of(0, 1, 2, 3), List.of(1, 0, 1, 1), List.of(2, 0, 2, 0));
    }

    /** In equal groups, one each, and in any order, some keys without a query. */
    @ParameterizedTest
    @MethodSource("kvHeads")
    void eachQueryHeadUsesTheKeyHeadThatTheOpNames(List<Integer> kvHead) {
        int heads = 4;
        int kvHeads = 1 + Collections.max(kvHead);
        int width = 3;
        int row = (heads + 2 * kvHeads) * width;
        ProgramBuilder builder = new ProgramBuilder("main", row);
        View x = builder.slot(row);
        View out = builder.slot(row);
        View k = x.columns(heads * width, kvHeads * width);
        View v = x.columns((heads + kvHeads) * width, kvHeads * width);
        int cache = builder.cache(2 * kvHeads * width);
        View mixed = out.columns(0, heads * width);
        builder.op(new Add(x, x, out)); // a program yields what it has written
        builder.op(new Attention(x.columns(0, heads * width), k, v, kvHead, 0.3f, null, cache, mixed));
        float[][] rows = tested.rows(40, 9, row);
        float[][] actual = run(builder.build(x, out), rows, heads * width);
        Expected[][] expected = new Expected[9][heads * width];
        for (int t = 0; t < rows.length; t++) {
            for (int h = 0; h < heads; h++) {
                int at = kvHead.get(h) * width;
                Expected[] scores = new Expected[t + 1];
                for (int s = 0; s <= t; s++) {
                    scores[s] = score(0.3f, rows[t], h * width, rows[s], k.offset() + at, width);
                }
                for (int i = 0; i < width; i++) {
                    expected[t][h * width + i] = mix(scores, rows, 0, v.offset() + at + i);
                }
            }
        }
        tested.differences().compare(Attention.class, actual, expected);
    }

    /** 4 query heads and 2 KV heads of 5 columns with values of 2 and of 7. */
    @ParameterizedTest
    @ValueSource(ints = {2, 7})
    void valuesMayBeNarrowerOrWiderThanKeys(int value) {
        int width = 5;
        int row = 6 * width + 2 * value;
        ProgramBuilder builder = new ProgramBuilder("main", row);
        View x = builder.slot(row);
        View out = builder.slot(row);
        View k = x.columns(4 * width, 2 * width);
        View v = x.columns(6 * width, 2 * value);
        int cache = builder.cache(2 * width + 2 * value);
        builder.op(new Add(x, x, out)); // a program yields what it has written
        builder.op(new Attention(
                x.columns(0, 4 * width), k, v, Attention.grouped(4, 2), 0.4f, null, cache, out.columns(0, 4 * value)));
        float[][] rows = tested.rows(43, 6, row);
        float[][] actual = run(builder.build(x, out), rows, 4 * value);
        Expected[][] expected = new Expected[6][4 * value];
        for (int t = 0; t < rows.length; t++) {
            for (int h = 0; h < 4; h++) {
                Expected[] scores = new Expected[t + 1];
                for (int s = 0; s <= t; s++) {
                    scores[s] = score(0.4f, rows[t], h * width, rows[s], k.offset() + h / 2 * width, width);
                }
                for (int i = 0; i < value; i++) {
                    expected[t][h * value + i] = mix(scores, rows, 0, v.offset() + h / 2 * value + i);
                }
            }
        }
        tested.differences().compare(Attention.class, actual, expected);
    }

    /** One head of width 2: a softmax over the last 3 rows and, in the second program, a score that adds nothing. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWindowHidesOlderRowsAndASinkTakesItsShare(boolean sink) {
        int window = 3;
        ProgramBuilder builder = new ProgramBuilder("main", 6);
        View x = builder.slot(6);
        View out = builder.slot(6);
        int cache = builder.cache(4, window);
        builder.op(new Add(x, x, out)); // a program yields what it has written
        if (sink) {
            builder.weight("sinks", new WeightFile(directory).floats(new float[][] {{0.7f}}));
        }
        builder.op(new Attention(
                x.columns(0, 2),
                x.columns(2, 2),
                x.columns(4, 2),
                List.of(0),
                0.9f,
                sink ? "sinks" : null,
                cache,
                out.columns(0, 2)));
        float[][] rows = tested.rows(42, 9, 6);
        float[][] actual = run(builder.build(x, out), rows, 2);
        Expected[][] expected = new Expected[9][2];
        for (int t = 0; t < rows.length; t++) {
            int first = Math.max(0, t - window + 1);
            Expected[] scores = new Expected[t - first + (sink ? 2 : 1)];
            for (int s = first; s <= t; s++) {
                scores[s - first] = score(0.9f, rows[t], 0, rows[s], 2, 2);
            }
            if (sink) {
                scores[t - first + 1] = Expected.of(0.7f);
            }
            float[][] seen = Arrays.copyOf(rows, t + 1);
            expected[t][0] = mix(scores, seen, first, 4);
            expected[t][1] = mix(scores, seen, first, 5);
        }
        tested.differences().compare(Attention.class, actual, expected);
    }

    /** Hundreds of rows, of which engines compute tiles: 300 in one step, then 29, then one; 6 query heads of 20 columns and 3 KV heads. */
    @ParameterizedTest
    @ValueSource(ints = {0, 100})
    void manyRowsInStepsOfAnyLength(int window) {
        int heads = 6;
        int width = 20;
        int kvWidth = 3 * width;
        int row = heads * width + 2 * kvWidth;
        ProgramBuilder builder = new ProgramBuilder("main", row);
        View x = builder.slot(row);
        View out = builder.slot(row);
        View k = x.columns(heads * width, kvWidth);
        View v = x.columns(heads * width + kvWidth, kvWidth);
        int cache = builder.cache(2 * kvWidth, window);
        View mixed = out.columns(0, heads * width);
        builder.op(new Add(x, x, out)); // a program yields what it has written
        builder.op(new Attention(
                x.columns(0, heads * width), k, v, Attention.grouped(heads, 3), 0.6f, null, cache, mixed));
        float[][] rows = tested.rows(44, 330, row);
        float[][] actual = run(builder.build(x, out), rows, heads * width, 300, 329);
        int[] compared = {0, 63, 64, 99, 100, 299, 300, 328, 329};
        Expected[][] expected = new Expected[compared.length][heads * width];
        float[][] found = new float[compared.length][];
        for (int c = 0; c < compared.length; c++) {
            int t = compared[c];
            int first = window == 0 ? 0 : Math.max(0, t - window + 1);
            float[][] seen = Arrays.copyOf(rows, t + 1);
            found[c] = actual[t];
            for (int h = 0; h < heads; h++) {
                int at = h / 2 * width;
                Expected[] scores = new Expected[t + 1 - first];
                for (int s = first; s <= t; s++) {
                    scores[s - first] = score(0.6f, rows[t], h * width, rows[s], k.offset() + at, width);
                }
                for (int i = 0; i < width; i++) {
                    expected[c][h * width + i] = mix(scores, seen, first, v.offset() + at + i);
                }
            }
        }
        tested.differences().compare(Attention.class, found, expected);
    }

    @Test
    void latentAttentionEqualsAttentionOverExpandedKeysAndValues() {
        float[][] rows = tested.rows(41, 9, TinyProgram.ROW);
        float[][] actual = run(TinyProgram.latent(new WeightFile(directory)), rows, 2 * TinyProgram.VALUE);
        int[][] seen = new int[9][];
        Arrays.setAll(seen, t -> IntStream.rangeClosed(0, t).toArray());
        tested.differences().compare(LatentAttention.class, actual, latent(rows, seen));
    }

    /** Of rows as {@link TinyProgram#latent} takes them, each of which sees some. */
    static Expected[][] latent(float[][] rows, int[][] seen) {
        int nope = TinyProgram.NOPE;
        int rope = TinyProgram.ROPE;
        int latentAt = 2 * (nope + rope);
        Expected[][] expected = new Expected[rows.length][2 * TinyProgram.VALUE];
        for (int t = 0; t < rows.length; t++) {
            for (int h = 0; h < 2; h++) {
                int query = h * (nope + rope);
                Expected[] scores = new Expected[seen[t].length];
                for (int s = 0; s < scores.length; s++) {
                    float[] row = rows[seen[t][s]];
                    float[] latent = Arrays.copyOfRange(row, latentAt, latentAt + TinyProgram.RANK);
                    scores[s] = score(0.7f, rows[t], query + nope, row, latentAt + TinyProgram.RANK, rope);
                    for (int i = 0; i < nope; i++) {
                        float[] up = column(TinyProgram.keyUp()[h], i);
                        scores[s] = scores[s].plus(
                                Expected.dot(up, Expected.of(latent)).times((double) 0.7f * rows[t][query + i]));
                    }
                }
                Expected[] shares = Expected.softmax(scores);
                for (int i = 0; i < TinyProgram.VALUE; i++) {
                    Expected sum = Expected.ZERO;
                    for (int s = 0; s < scores.length; s++) {
                        float[] latent = Arrays.copyOfRange(rows[seen[t][s]], latentAt, latentAt + TinyProgram.RANK);
                        Expected value = Expected.dot(TinyProgram.valueUp()[h][i], Expected.of(latent));
                        sum = sum.plus(shares[s].times(value));
                    }
                    expected[t][h * TinyProgram.VALUE + i] = sum;
                }
            }
        }
        return expected;
    }

    private static float[] column(float[][] matrix, int index) {
        float[] column = new float[matrix.length];
        for (int row = 0; row < column.length; row++) {
            column[row] = matrix[row][index];
        }
        return column;
    }
}
