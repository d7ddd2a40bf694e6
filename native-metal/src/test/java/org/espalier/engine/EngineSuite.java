package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.offset;
import static org.espalier.engine.WeightFile.random;

import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.espalier.program.Activation;
import org.espalier.program.Add;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Experts;
import org.espalier.program.GatedMlp;
import org.espalier.program.GatedUnit;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Projection;
import org.espalier.program.RmsNorm;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.Route;
import org.espalier.program.Router;
import org.espalier.program.SigmoidScale;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each op by itself against a computation in double precision. Every engine's test extends it. */
public abstract class EngineSuite {

    @TempDir
    Path directory;

    private final Engine engine = engine();

    /** The engine under test. */
    abstract Engine engine();

    @AfterEach
    void closeEngine() {
        engine.close();
    }

    private static void assertClose(float[][] actual, double[][] expected) {
        assertThat(actual).hasDimensions(expected.length, expected[0].length);
        for (int t = 0; t < expected.length; t++) {
            for (int i = 0; i < expected[t].length; i++) {
                assertThat((double) actual[t][i])
                        .as("row %d column %d", t, i)
                        .isCloseTo(expected[t][i], offset(1e-5 * (1 + Math.abs(expected[t][i]))));
            }
        }
    }

    private static double dot(float[] a, float[] b) {
        return IntStream.range(0, a.length)
                .mapToDouble(i -> (double) a[i] * b[i])
                .sum();
    }

    private static double[] multiply(float[][] matrix, float[] x) {
        double[] y = new double[matrix.length];
        for (int r = 0; r < y.length; r++) {
            y[r] = dot(matrix[r], x);
        }
        return y;
    }

    private static double[] mlp(float[][] gate, float[][] up, float[][] down, float[] x) {
        double[] g = multiply(gate, x);
        double[] u = multiply(up, x);
        double[] y = new double[down.length];
        for (int r = 0; r < y.length; r++) {
            for (int i = 0; i < g.length; i++) {
                y[r] += down[r][i] * (g[i] / (1 + Math.exp(-g[i])) * u[i]);
            }
        }
        return y;
    }

    @Test
    void linearMultipliesAndAddsTheBias() {
        float[][] w = random(1, 37, 19);
        float[][] bias = random(2, 1, 37);
        float[][] x = random(3, 3, 19);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(19, 37);
        bench.builder().weight("w", file.floats(w));
        bench.builder().weight("b", file.floats(bias));
        double[][] expected = new double[3][];
        for (int t = 0; t < 3; t++) {
            expected[t] = multiply(w, x[t]);
            for (int r = 0; r < 37; r++) {
                expected[t][r] += bias[0][r];
            }
        }
        assertClose(
                bench.op((in, out) -> new Linear(in, new Projection("w", "b"), out))
                        .run(engine, x),
                expected);
    }

    @Test
    void aTransposedWeightIsTurnedRound() {
        float[][] stored = random(4, 6, 20);
        float[][] turned = new float[20][6];
        IntStream.range(0, 120).forEach(i -> turned[i / 6][i % 6] = stored[i % 6][i / 6]);
        Weight plain = new WeightFile(directory).floats(stored);
        Weight weight = new Weight(20, 6, Plain.F32, true, 0, 1, plain.pieces());
        float[][] x = random(5, 2, 6);
        OpBench bench = new OpBench(6, 20);
        bench.builder().weight("w", weight);
        assertClose(
                bench.op((in, out) -> new Linear(in, Projection.of("w"), out)).run(engine, x),
                new double[][] {multiply(turned, x[0]), multiply(turned, x[1])});
    }

    @Test
    void rowsOfAnInterleavedWeightAreEveryOther() {
        float[][] stored = random(6, 10, 4);
        Weight plain = new WeightFile(directory).floats(stored);
        Weight odd = new Weight(5, 4, Plain.F32, false, 1, 2, plain.pieces());
        float[][] x = random(7, 1, 4);
        OpBench bench = new OpBench(4, 5);
        bench.builder().weight("w", odd);
        float[][] chosen = {stored[1], stored[3], stored[5], stored[7], stored[9]};
        assertClose(
                bench.op((in, out) -> new Linear(in, Projection.of("w"), out)).run(engine, x),
                new double[][] {multiply(chosen, x[0])});
    }

    @Test
    void slicesByColumnsAddUpToTheWholeProduct() {
        float[][] x = random(60, 2, 128);
        WeightFile file = new WeightFile(directory);
        Affine format = new Affine(4, 32, Element.F32);
        byte[] values = new byte[9 * 64];
        new Random(61).nextBytes(values);
        Piece piece = new Piece(
                file.append(values, 64),
                file.append(WeightFile.bytes(random(62, 9, 4)), 16),
                file.append(WeightFile.bytes(random(63, 9, 4)), 16));
        for (Weight whole : List.of(file.floats(random(64, 9, 128)), Weight.matrix(9, 128, format, piece))) {
            float[][] expected = multiply(whole, x);
            double[][] sums = new double[2][9];
            for (int[] slice : new int[][] {{0, 32}, {32, 64}, {96, 32}}) {
                Weight part = whole.columns(slice[0], slice[1]);
                assertThat(part.bytes() * 128).isEqualTo(whole.bytes() * slice[1]);
                float[][] columns = new float[2][];
                for (int t = 0; t < 2; t++) {
                    columns[t] = Arrays.copyOfRange(x[t], slice[0], slice[0] + slice[1]);
                }
                float[][] product = multiply(part, columns);
                IntStream.range(0, 18).forEach(i -> sums[i / 9][i % 9] += product[i / 9][i % 9]);
            }
            assertClose(expected, sums);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Weight.matrix(9, 128, format, piece).columns(16, 32))
                .withMessage("columns 16 to 48 of a weight with 128 columns in groups of 32 cannot be sliced");
    }

    private float[][] multiply(Weight weight, float[][] x) {
        OpBench bench = new OpBench(weight.columns(), weight.rows());
        bench.builder().weight("w", weight);
        return bench.op((in, out) -> new Linear(in, Projection.of("w"), out)).run(engine, x);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void rmsNormWorksOnEachGroup(int groups) {
        int width = 12 / groups;
        float eps = 1e-2f;
        float[][] weight = random(8, 1, width);
        float[][] x = random(9, 2, 12);
        double[][] expected = new double[2][12];
        for (int t = 0; t < 2; t++) {
            for (int i = 0; i < 12; i++) {
                double squares = 0;
                for (int j = 0; j < width; j++) {
                    squares += Math.pow(x[t][i / width * width + j], 2);
                }
                expected[t][i] = x[t][i] / Math.sqrt(squares / width + eps) * weight[0][i % width];
            }
        }
        OpBench bench = new OpBench(12, 12);
        bench.builder().weight("n", new WeightFile(directory).floats(weight));
        assertClose(
                bench.op((in, out) -> new RmsNorm(in, "n", eps, groups, out)).run(engine, x), expected);
    }

    @ParameterizedTest
    @EnumSource
    void rotateTurnsPairsByPositionTimesFrequency(Rope.Pairing pairing) {
        // 2 heads of 1 column without position and 4 that turn; added to itself to reach the output
        Rope rope = new Rope(pairing, new float[] {1, 0.25f}, 1.5f);
        float[][] x = random(10, 5, 10);
        double[][] expected = new double[5][10];
        for (int t = 0; t < 5; t++) {
            for (int head = 0; head < 2; head++) {
                int base = 5 * head;
                expected[t][base] = 2 * x[t][base];
                for (int pair = 0; pair < 2; pair++) {
                    int a = base + 1 + (pairing == Rope.Pairing.HALF ? pair : 2 * pair);
                    int b = pairing == Rope.Pairing.HALF ? a + 2 : a + 1;
                    double angle = t * (pair == 0 ? 1 : 0.25);
                    expected[t][a] = 2 * 1.5 * (x[t][a] * Math.cos(angle) - x[t][b] * Math.sin(angle));
                    expected[t][b] = 2 * 1.5 * (x[t][b] * Math.cos(angle) + x[t][a] * Math.sin(angle));
                }
            }
        }
        OpBench bench = new OpBench(10, 10);
        bench.op((in, out) -> new Rotate(in, 2, 1, rope)).op((in, out) -> new Add(in, in, out));
        assertClose(bench.run(engine, x), expected);
    }

    @Test
    void gatedMlpMultipliesSiluOfTheGateWithUp() {
        float[][] gate = random(11, 9, 5);
        float[][] up = random(12, 9, 5);
        float[][] down = random(13, 5, 9);
        float[][] x = random(14, 2, 5);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(5, 5);
        bench.builder().weight("g", file.floats(gate));
        bench.builder().weight("u", file.floats(up));
        bench.builder().weight("d", file.floats(down));
        bench.op((in, out) -> new GatedMlp(in, GatedUnit.of("g", "u", "d", Activation.SILU), out));
        assertClose(bench.run(engine, x), new double[][] {mlp(gate, up, down, x[0]), mlp(gate, up, down, x[1])});
    }

    @Test
    void clampedSwigluHoldsGateAndUpWithinTheLimitAndBiasesAreAdded() {
        float[][] gate = random(50, 9, 5);
        float[][] up = random(51, 9, 5);
        float[][] down = random(52, 5, 9);
        float[][] biases = random(53, 3, 9);
        float[][] x = random(54, 2, 5);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(5, 5);
        bench.builder().weight("g", file.floats(gate));
        bench.builder().weight("u", file.floats(up));
        bench.builder().weight("d", file.floats(down));
        bench.builder().weight("gb", file.floats(new float[][] {biases[0]}));
        bench.builder().weight("ub", file.floats(new float[][] {biases[1]}));
        bench.builder().weight("db", file.floats(new float[][] {Arrays.copyOf(biases[2], 5)}));
        GatedUnit unit = new GatedUnit(
                new Projection("g", "gb"),
                new Projection("u", "ub"),
                new Projection("d", "db"),
                new Activation.ClampedSwiglu(1.7f, 0.6f));
        double[][] expected = new double[2][5];
        for (int t = 0; t < 2; t++) {
            double[] g = multiply(gate, x[t]);
            double[] u = multiply(up, x[t]);
            for (int r = 0; r < 5; r++) {
                expected[t][r] = biases[2][r];
                for (int i = 0; i < 9; i++) {
                    double held = Math.min(g[i] + biases[0][i], 0.6f);
                    double other = Math.max(-0.6f, Math.min(0.6f, u[i] + biases[1][i]));
                    expected[t][r] += down[r][i] * held / (1 + Math.exp(-1.7f * held)) * (other + 1);
                }
            }
        }
        assertClose(bench.op((in, out) -> new GatedMlp(in, unit, out)).run(engine, x), expected);
    }

    @Test
    void sigmoidScaleMultipliesARowByOneNumber() {
        float[][] x = random(55, 4, 6);
        OpBench bench = new OpBench(6, 6);
        bench.op((in, out) -> new Add(in, in, out)).op((in, out) -> new SigmoidScale(in.columns(4, 1), out));
        double[][] expected = new double[4][6];
        IntStream.range(0, 24)
                .forEach(i -> expected[i / 6][i % 6] = 2 * x[i / 6][i % 6] / (1 + Math.exp(-x[i / 6][4])));
        assertClose(bench.run(engine, x), expected);
    }

    @Test
    void expertsAddUpThoseOfThisShardByTheirWeights() {
        float[][] routes = random(15, 4, 6);
        float[][][] gates = {random(16, 8, 6), random(17, 8, 6), random(18, 8, 6)};
        float[][][] ups = {random(19, 8, 6), random(20, 8, 6), random(21, 8, 6)};
        float[][][] downs = {random(22, 6, 8), random(23, 6, 8), random(24, 6, 8)};
        List<Integer> held = List.of(3, 0, 2);
        float[][] x = random(25, 7, 6);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(6, 6);
        bench.builder().weight("r", file.floats(routes));
        bench.builder().weight("g", file.floats(gates));
        bench.builder().weight("u", file.floats(ups));
        bench.builder().weight("d", file.floats(downs));
        Router router = new Router(4, 2, Router.Scoring.SOFTMAX, Router.Groups.NONE, true, 2.5f);
        bench.op((in, out) -> new Route(7, in, Projection.of("r"), null, router));
        bench.op((in, out) -> new Experts(
                7,
                in,
                held.stream().map(Experts.Held::only).toList(),
                GatedUnit.of("g", "u", "d", Activation.SILU),
                out));
        double[][] expected = new double[7][6];
        StepResult result = bench.result(engine, x);
        Routing routing = result.routing();
        assertThat(routing.layers()).containsExactly(7);
        assertThat(routing.width()).isEqualTo(2);
        for (int t = 0; t < 7; t++) {
            double[] s = multiply(routes, x[t]);
            int[] best = IntStream.range(0, 4)
                    .boxed()
                    .sorted((a, b) -> Double.compare(s[b], s[a]))
                    .mapToInt(e -> e)
                    .limit(2)
                    .toArray();
            for (int k = 0; k < 2; k++) {
                double weight = 2.5 * Math.exp(s[best[k]]) / (Math.exp(s[best[0]]) + Math.exp(s[best[1]]));
                assertThat(routing.experts()[2 * t + k]).isEqualTo((short) best[k]);
                assertThat((double) routing.weights()[2 * t + k]).isCloseTo(weight, offset(1e-5));
                int index = held.indexOf(best[k]);
                double[] y = index < 0 ? new double[6] : mlp(gates[index], ups[index], downs[index], x[t]);
                for (int i = 0; i < 6; i++) {
                    expected[t][i] += weight * y[i];
                }
            }
        }
        assertClose(OpBench.unpack(result.activations(), 7, 6), expected);
    }

    @Test
    void exchangeReplacesThePartialSums() {
        float[][] x = random(26, 3, 4);
        OpBench bench = new OpBench(4, 4).exchange(2, OneNodeExchange.of(partial -> {
            assertThat(partial.remaining()).isEqualTo(3 * 4 * Float.BYTES);
            partial.order(ByteOrder.LITTLE_ENDIAN);
            for (int at = 0; at < partial.limit(); at += Float.BYTES) {
                partial.putFloat(at, 10 + partial.getFloat(at));
            }
        }));
        bench.op((in, out) -> new Add(in, in, out))
                .op((in, out) -> new ExchangeBegin(3, out, new ExchangeBegin.Sum()))
                .op((in, out) -> new ExchangeAwait(3));
        double[][] expected = new double[3][4];
        IntStream.range(0, 12).forEach(i -> expected[i / 4][i % 4] = 10 + 2.0 * x[i / 4][i % 4]);
        assertClose(bench.run(engine, x), expected);
    }

    @Test
    void logitsOfEveryWantedRow() {
        float[][] head = random(27, 70, 8);
        float[][] x = random(28, 2, 8);
        OpBench bench = new OpBench(8, 8);
        bench.builder().weight("head", new WeightFile(directory).floats(head));
        StepResult result = bench.op((in, out) -> new Logits(in, "head")).result(engine, x);
        assertClose(result.logits(), new double[][] {multiply(head, x[0]), multiply(head, x[1])});
        assertThat(result.activations()).isNull();
    }
}
