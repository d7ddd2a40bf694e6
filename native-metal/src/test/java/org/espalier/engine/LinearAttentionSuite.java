package org.espalier.engine;

import static org.espalier.engine.WeightFile.random;

import java.util.Arrays;
import java.util.List;
import org.espalier.program.GatedDeltaRule;
import org.espalier.program.ShortConvolution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The convolution and the delta rule against the recurrences of their papers, written out in double. */
abstract class LinearAttentionSuite extends Suite {

    private static final int KEY = 4;
    private static final int VALUE = 3;

    LinearAttentionSuite(EngineUnderTest tested) {
        super(tested);
    }

    /** Steps shorter and longer than the kernel; channels of two weights. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 9})
    void aConvolutionSeesTheRowsBefore(int rows) {
        int kernel = 4;
        float[][] taps = random(80, 5, kernel);
        float[][] x = tested.rows(81, rows, 5);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(5, 5);
        bench.builder().weight("first", file.floats(Arrays.copyOf(taps, 2)));
        bench.builder().weight("others", file.floats(Arrays.copyOfRange(taps, 2, 5)));
        int state = bench.builder().state(3 * 5);
        bench.op((in, out) -> new ShortConvolution(in, List.of("first", "others"), kernel, state, out));
        Expected[][] expected = new Expected[rows][5];
        for (int t = 0; t < rows; t++) {
            for (int c = 0; c < 5; c++) {
                Expected sum = Expected.ZERO;
                for (int k = Math.max(0, kernel - 1 - t); k < kernel; k++) {
                    sum = sum.plus((double) taps[c][k] * x[t - kernel + 1 + k][c]);
                }
                expected[t][c] = sum.map(sum.value() / (1 + Math.exp(-sum.value())), 1.1);
            }
        }
        tested.differences().compare(ShortConvolution.class, bench.run(tested, x), expected);
    }

    static List<List<Integer>> keyHeads() {
        return List.of(List.of(0, 0, 1, 1), List.of(0, 1, 2), List.of(1, 0, 1), List.of(0));
    }

    /** 150 rows: two whole chunks and a part of one; with 4 heads, the negative of the rate is stored. */
    @ParameterizedTest
    @MethodSource("keyHeads")
    void theDeltaRuleIsItsRecurrence(List<Integer> keyHead) {
        boolean negative = keyHead.size() == 4;
        int heads = keyHead.size();
        int keys = 1 + keyHead.stream().max(Integer::compare).orElseThrow();
        int gates = 2 * keys * KEY + heads * VALUE;
        float[][] aLog = random(82, 1, heads);
        float[][] dtBias = random(83, 1, heads);
        float[][] x = tested.rows(84, 150, gates + 2 * heads);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(gates + 2 * heads, heads * VALUE);
        bench.builder().weight("rate", file.floats(negative ? negated(aLog) : aLog));
        bench.builder().weight("dtBias", file.floats(dtBias));
        int state = bench.builder().state(heads * KEY * VALUE);
        bench.op((in, out) -> new GatedDeltaRule(
                in.columns(0, keys * KEY),
                in.columns(keys * KEY, keys * KEY),
                in.columns(2 * keys * KEY, heads * VALUE),
                in.columns(gates, heads),
                in.columns(gates + heads, heads),
                negative ? new GatedDeltaRule.Rate.Negative("rate") : new GatedDeltaRule.Rate.Log("rate"),
                "dtBias",
                KEY,
                keyHead,
                state,
                out));
        Expected[][] expected = new Expected[x.length][heads * VALUE];
        for (int h = 0; h < heads; h++) {
            Expected[][] s = new Expected[KEY][VALUE];
            Arrays.stream(s).forEach(row -> Arrays.fill(row, Expected.ZERO));
            for (int t = 0; t < x.length; t++) {
                double[] q = unit(x[t], keyHead.get(h) * KEY);
                double[] k = unit(x[t], (keys + keyHead.get(h)) * KEY);
                double softplus = Math.log1p(Math.exp(x[t][gates + h] + dtBias[0][h]));
                double rate = negative ? -negated(aLog)[0][h] : Math.exp(aLog[0][h]);
                double g = Math.exp(-rate * softplus);
                double beta = 1 / (1 + Math.exp(-x[t][gates + heads + h]));
                for (int c = 0; c < VALUE; c++) {
                    Expected u = Expected.of(x[t][2 * keys * KEY + h * VALUE + c]);
                    for (int i = 0; i < KEY; i++) {
                        u = u.plus(s[i][c].times(-g * k[i]));
                    }
                    Expected out = Expected.ZERO;
                    for (int i = 0; i < KEY; i++) {
                        s[i][c] = s[i][c].times(g).plus(u.times(beta * k[i]));
                        out = out.plus(s[i][c].times(q[i] / Math.sqrt(KEY)));
                    }
                    expected[t][h * VALUE + c] = out;
                }
            }
        }
        tested.differences().compare(GatedDeltaRule.class, bench.run(tested, x), expected);
    }

    private static float[][] negated(float[][] logarithms) {
        float[][] rates = new float[1][logarithms[0].length];
        for (int i = 0; i < rates[0].length; i++) {
            rates[0][i] = (float) -Math.exp(logarithms[0][i]);
        }
        return rates;
    }

    private static double[] unit(float[] x, int at) {
        double squares = 0;
        for (int i = 0; i < KEY; i++) {
            squares += (double) x[at + i] * x[at + i];
        }
        double[] unit = new double[KEY];
        for (int i = 0; i < KEY; i++) {
            unit[i] = x[at + i] / Math.sqrt(squares + GatedDeltaRule.EPS);
        }
        return unit;
    }

    /** Decays of 1 and of 0, keys of 0, and an overflowing exponential: all finite, and a state that was forgotten is gone. */
    @Test
    void theGatesMayBeExtreme() {
        float[][] x = new float[5][KEY + KEY + VALUE + 2];
        for (float[] row : x) {
            Arrays.fill(row, 0, 2 * KEY + VALUE, 1);
        }
        int decay = 2 * KEY + VALUE;
        x[0][decay] = -1000; // keeps all
        x[1][decay] = 1000; // keeps nothing
        x[2][decay] = -1000;
        Arrays.fill(x[2], KEY, 2 * KEY, 0);
        x[3][decay + 1] = -1000; // learns nothing
        x[3][decay] = -1000;
        x[4][decay + 1] = 1000;
        x[4][decay] = -1000;
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(decay + 2, VALUE);
        bench.builder().weight("zero", file.floats(new float[1][1]));
        int state = bench.builder().state(KEY * VALUE);
        bench.op((in, out) -> new GatedDeltaRule(
                in.columns(0, KEY),
                in.columns(KEY, KEY),
                in.columns(2 * KEY, VALUE),
                in.columns(decay, 1),
                in.columns(decay + 1, 1),
                new GatedDeltaRule.Rate.Log("zero"),
                "zero",
                KEY,
                List.of(0),
                state,
                out));
        double length = KEY / (KEY + (double) GatedDeltaRule.EPS); // of a unit vector, squared
        double unit = length / Math.sqrt(KEY);
        double[] yielded = {0.5 * unit, 0.5 * unit, 0.5 * unit, 0.5 * unit, (0.5 + 1 - 0.5 * length) * unit};
        Expected[][] expected = new Expected[5][VALUE];
        for (int t = 0; t < 5; t++) {
            Arrays.fill(expected[t], Expected.of(yielded[t]));
        }
        tested.differences().compare(GatedDeltaRule.class, bench.run(tested, x), expected);
    }
}
