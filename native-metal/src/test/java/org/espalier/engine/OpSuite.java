package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.espalier.engine.WeightFile.random;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.espalier.program.Activation;
import org.espalier.program.Add;
import org.espalier.program.Gate;
import org.espalier.program.GatedMlp;
import org.espalier.program.GatedUnit;
import org.espalier.program.LayerNorm;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Op;
import org.espalier.program.Projection;
import org.espalier.program.RmsNorm;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.Scale;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each op by itself against arithmetic in double. */
abstract class OpSuite extends Suite {

    OpSuite(EngineUnderTest tested) {
        super(tested);
    }

    private void compare(Class<? extends Op> op, float[][] actual, Expected[]... expected) {
        tested.differences().compare(op, actual, expected);
    }

    private float[][] linear(Weight weight, float[][] x) {
        OpBench bench = new OpBench(weight.columns(), weight.rows());
        bench.builder().weight("w", weight);
        return bench.op((in, out) -> new Linear(in, Projection.of("w"), out)).run(tested, x);
    }

    @Test
    void linearMultipliesAndAddsTheBias() {
        float[][] w = random(1, 37, 19);
        float[][] bias = random(2, 1, 37);
        float[][] x = tested.rows(3, 3, 19);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(19, 37);
        bench.builder().weight("w", file.floats(w));
        bench.builder().weight("b", file.floats(bias));
        bench.op((in, out) -> new Linear(in, new Projection("w", "b"), out));
        Expected[][] expected = new Expected[3][];
        Arrays.setAll(expected, t -> Expected.plus(Expected.multiply(w, x[t]), bias[0]));
        compare(Linear.class, bench.run(tested, x), expected);
    }

    @Test
    void aTransposedWeightIsMultipliedAsItsMatrix() {
        float[][] stored = random(4, 6, 20);
        float[][] matrix = new float[20][6];
        IntStream.range(0, 120).forEach(i -> matrix[i / 6][i % 6] = stored[i % 6][i / 6]);
        Weight plain = new WeightFile(directory).floats(stored);
        Weight weight = new Weight(20, 6, Plain.F32, true, 0, 1, plain.pieces());
        float[][] x = tested.rows(5, 2, 6);
        compare(Linear.class, linear(weight, x), Expected.multiply(matrix, x[0]), Expected.multiply(matrix, x[1]));
    }

    @Test
    void rowsOfAnInterleavedWeightAreEveryOther() {
        float[][] stored = random(6, 10, 4);
        Weight plain = new WeightFile(directory).floats(stored);
        Weight odd = new Weight(5, 4, Plain.F32, false, 1, 2, plain.pieces());
        float[][] x = tested.rows(7, 1, 4);
        float[][] chosen = {stored[1], stored[3], stored[5], stored[7], stored[9]};
        compare(Linear.class, linear(odd, x), Expected.multiply(chosen, x[0]));
    }

    @Test
    void slicesByColumnsAreTheirShareOfTheProduct() {
        float[][] x = tested.rows(60, 2, 128);
        WeightFile file = new WeightFile(directory);
        Affine format = new Affine(4, 32, Element.F32);
        byte[] values = new byte[9 * 64];
        new Random(61).nextBytes(values);
        Piece piece = new Piece(
                file.append(values, 64),
                file.append(WeightFile.bytes(random(62, 9, 4)), 16),
                file.append(WeightFile.bytes(random(63, 9, 4)), 16));
        for (Weight whole : List.of(file.floats(random(64, 9, 128)), Weight.matrix(9, 128, format, piece))) {
            for (int[] slice : new int[][] {{0, 32}, {32, 64}, {96, 32}}) {
                Weight part = whole.columns(slice[0], slice[1]);
                assertThat(part.bytes() * 128).isEqualTo(whole.bytes() * slice[1]);
                float[][] matrix = columns(WeightFile.decoded(whole), slice[0], slice[1]);
                float[][] rows = columns(x, slice[0], slice[1]);
                Expected[][] expected = {Expected.multiply(matrix, rows[0]), Expected.multiply(matrix, rows[1])};
                tested.differences().compare(Linear.class, whole.format(), linear(part, rows), expected);
            }
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Weight.matrix(9, 128, format, piece).columns(16, 32))
                .withMessage("columns 16 to 48 of a weight with 128 columns in groups of 32 cannot be sliced");
    }

    private static float[][] columns(float[][] matrix, int from, int count) {
        return Arrays.stream(matrix)
                .map(row -> Arrays.copyOfRange(row, from, from + count))
                .toArray(float[][]::new);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void rmsNormWorksOnEachGroup(int groups) {
        float[] weight = random(8, 1, 12 / groups)[0];
        norms(groups, weight, weight, new RmsNorm.Gain.Stored("n"));
    }

    @Test
    void rmsNormOfAZeroCentredWeightAddsOneToIt() {
        float[] weight = random(8, 1, 4)[0];
        float[] gain = new float[4];
        IntStream.range(0, 4).forEach(i -> gain[i] = 1 + weight[i]);
        norms(3, weight, gain, new RmsNorm.Gain.OnePlus("n"));
    }

    @Test
    void rmsNormWithoutAWeightMultipliesByNothing() {
        norms(3, null, new float[] {1, 1, 1, 1}, RmsNorm.Gain.ONE);
    }

    /** @param weight null for none */
    private void norms(int groups, float[] weight, float[] gain, RmsNorm.Gain asked) {
        int width = 12 / groups;
        float eps = 1e-2f;
        float[][] x = tested.rows(9, 2, 12);
        Expected[][] expected = new Expected[2][12];
        for (int t = 0; t < 2; t++) {
            for (int i = 0; i < 12; i++) {
                double squares = 0;
                for (int j = 0; j < width; j++) {
                    squares += Math.pow(x[t][i / width * width + j], 2);
                }
                expected[t][i] = Expected.of(x[t][i] / Math.sqrt(squares / width + eps) * gain[i % width]);
            }
        }
        OpBench bench = new OpBench(12, 12);
        if (weight != null) {
            bench.builder().weight("n", new WeightFile(directory).floats(new float[][] {weight}));
        }
        bench.op((in, out) -> new RmsNorm(in, asked, eps, groups, out));
        compare(RmsNorm.class, bench.run(tested, x), expected);
    }

    @Test
    void layerNormTakesTheMeanAwayAndAddsTheBias() {
        float eps = 1e-2f;
        float[][] affine = random(70, 2, 12);
        float[][] x = tested.rows(71, 2, 12);
        Expected[][] expected = new Expected[2][12];
        for (int t = 0; t < 2; t++) {
            Expected mean = Expected.ZERO;
            for (float value : x[t]) {
                mean = mean.plus(value / 12.0);
            }
            double squares = 0;
            for (float value : x[t]) {
                squares += Math.pow(value - mean.value(), 2);
            }
            double factor = 1 / Math.sqrt(squares / 12 + eps);
            for (int i = 0; i < 12; i++) {
                expected[t][i] = Expected.of(x[t][i])
                        .plus(mean.times(-1))
                        .times(factor * affine[0][i])
                        .plus(affine[1][i]);
            }
        }
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(12, 12);
        bench.builder().weight("w", file.floats(new float[][] {affine[0]}));
        bench.builder().weight("b", file.floats(new float[][] {affine[1]}));
        bench.op((in, out) -> new LayerNorm(in, "w", "b", eps, out));
        compare(LayerNorm.class, bench.run(tested, x), expected);
    }

    @ParameterizedTest
    @EnumSource
    void rotateTurnsPairsByPositionTimesFrequency(Rope.Pairing pairing) {
        // 2 heads of 1 column without position and 4 that turn; added to itself to reach the output
        Rope rope = new Rope(pairing, new float[] {1, 0.25f}, 1.5f);
        float[][] x = tested.rows(10, 5, 10);
        Expected[][] expected = new Expected[5][10];
        for (int t = 0; t < 5; t++) {
            for (int head = 0; head < 2; head++) {
                int base = 5 * head;
                expected[t][base] = Expected.of(2 * x[t][base]);
                for (int pair = 0; pair < 2; pair++) {
                    int a = base + 1 + (pairing == Rope.Pairing.HALF ? pair : 2 * pair);
                    int b = pairing == Rope.Pairing.HALF ? a + 2 : a + 1;
                    double angle = t * (pair == 0 ? 1 : 0.25);
                    double cos = 2 * 1.5 * Math.cos(angle);
                    double sin = 2 * 1.5 * Math.sin(angle);
                    expected[t][a] = Expected.of(cos * x[t][a]).plus(-sin * x[t][b]);
                    expected[t][b] = Expected.of(cos * x[t][b]).plus(sin * x[t][a]);
                }
            }
        }
        OpBench bench = new OpBench(10, 10);
        bench.op((in, out) -> new Rotate(in, 2, 1, rope)).op((in, out) -> new Add(in, in, out));
        compare(Rotate.class, bench.run(tested, x), expected);
    }

    @Test
    void addAddsColumnByColumn() {
        float[][] x = tested.rows(65, 3, 8);
        Expected[][] expected = new Expected[3][4];
        IntStream.range(0, 12)
                .forEach(i ->
                        expected[i / 4][i % 4] = Expected.of(x[i / 4][i % 4]).plus(x[i / 4][4 + i % 4]));
        OpBench bench = new OpBench(8, 4);
        bench.op((in, out) -> new Add(in.columns(0, 4), in.columns(4, 4), out));
        compare(Add.class, bench.run(tested, x), expected);
    }

    @Test
    void gatedMlpMultipliesSiluOfTheGateWithUp() {
        float[][] gate = random(11, 9, 5);
        float[][] up = random(12, 9, 5);
        float[][] down = random(13, 5, 9);
        float[][] x = tested.rows(14, 2, 5);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(5, 5);
        bench.builder().weight("g", file.floats(gate));
        bench.builder().weight("u", file.floats(up));
        bench.builder().weight("d", file.floats(down));
        bench.op((in, out) -> new GatedMlp(in, GatedUnit.of("g", "u", "d", Activation.SILU), out));
        compare(
                GatedMlp.class,
                bench.run(tested, x),
                Expected.mlp(gate, up, down, x[0]),
                Expected.mlp(gate, up, down, x[1]));
    }

    @Test
    void clampedSwigluHoldsGateAndUpWithinTheLimitAndBiasesAreAdded() {
        float[][] gate = random(50, 9, 5);
        float[][] up = random(51, 9, 5);
        float[][] down = random(52, 5, 9);
        float[][] biases = random(53, 3, 9);
        float[] downBias = Arrays.copyOf(biases[2], 5);
        float[][] x = tested.rows(54, 2, 5);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(5, 5);
        bench.builder().weight("g", file.floats(gate));
        bench.builder().weight("u", file.floats(up));
        bench.builder().weight("d", file.floats(down));
        bench.builder().weight("gb", file.floats(new float[][] {biases[0]}));
        bench.builder().weight("ub", file.floats(new float[][] {biases[1]}));
        bench.builder().weight("db", file.floats(new float[][] {downBias}));
        GatedUnit unit = new GatedUnit(
                new Projection("g", "gb"),
                new Projection("u", "ub"),
                new Projection("d", "db"),
                new Activation.ClampedSwiglu(1.7f, 0.6f));
        Expected[][] expected = new Expected[2][];
        for (int t = 0; t < 2; t++) {
            Expected[] g = Expected.plus(Expected.multiply(gate, x[t]), biases[0]);
            Expected[] u = Expected.plus(Expected.multiply(up, x[t]), biases[1]);
            Expected[] h = new Expected[9];
            for (int i = 0; i < 9; i++) {
                Expected held = g[i].map(Math.min(g[i].value(), 0.6f), 1);
                Expected other = u[i].map(Math.max(-0.6f, Math.min(0.6f, u[i].value())), 1)
                        .plus(1);
                double sigmoid = 1 / (1 + Math.exp(-1.7f * held.value()));
                h[i] = held.map(held.value() * sigmoid, 1.1).times(other);
            }
            expected[t] = Expected.plus(Expected.multiply(down, h), downBias);
        }
        compare(
                GatedMlp.class,
                bench.op((in, out) -> new GatedMlp(in, unit, out)).run(tested, x),
                expected);
    }

    @Test
    void aGateMultipliesARowByOneNumber() {
        float[][] x = tested.rows(55, 4, 6);
        OpBench bench = new OpBench(6, 6);
        bench.op((in, out) -> new Add(in, in, out))
                .op((in, out) -> new Gate(in.columns(4, 1), Gate.Function.SIGMOID, out));
        Expected[][] expected = new Expected[4][6];
        IntStream.range(0, 24)
                .forEach(i -> expected[i / 6][i % 6] = Expected.of(2 * x[i / 6][i % 6] / (1 + Math.exp(-x[i / 6][4]))));
        compare(Gate.class, bench.run(tested, x), expected);
    }

    @ParameterizedTest
    @EnumSource
    void aGateMultipliesColumnByColumn(Gate.Function function) {
        float[][] x = tested.rows(56, 4, 6);
        OpBench bench = new OpBench(6, 3);
        bench.op((in, out) -> new Add(in.columns(0, 3), in.columns(0, 3), out))
                .op((in, out) -> new Gate(in.columns(3, 3), function, out));
        Expected[][] expected = new Expected[4][3];
        IntStream.range(0, 12).forEach(i -> {
            double g = x[i / 3][3 + i % 3];
            double factor = (function == Gate.Function.SILU ? g : 1) / (1 + Math.exp(-g));
            expected[i / 3][i % 3] = Expected.of(2 * x[i / 3][i % 3] * factor);
        });
        compare(Gate.class, bench.run(tested, x), expected);
    }

    @Test
    void scaleMultipliesByAConstantAndByAWeight() {
        float[][] x = tested.rows(66, 3, 6);
        OpBench bench = new OpBench(6, 6);
        bench.builder().weight("f", new WeightFile(directory).floats(new float[][] {{-0.75f}}));
        bench.op((in, out) -> new Add(in, in, out))
                .op((in, out) -> new Scale(out.columns(0, 3), 1.5f))
                .op((in, out) -> new Scale(out.columns(3, 3), new Scale.Factor.Stored("f")));
        double[] factors = {3, 3, 3, -1.5, -1.5, -1.5};
        Expected[][] expected = new Expected[3][6];
        IntStream.range(0, 18)
                .forEach(i ->
                        expected[i / 6][i % 6] = Expected.of(x[i / 6][i % 6]).times(factors[i % 6]));
        compare(Scale.class, bench.run(tested, x), expected);
    }

    @Test
    void geluOfTheGateIsItsApproximationByATangent() {
        float[][] gate = random(67, 9, 5);
        float[][] up = random(68, 9, 5);
        float[][] down = random(69, 5, 9);
        float[][] x = tested.rows(70, 2, 5);
        WeightFile file = new WeightFile(directory);
        OpBench bench = new OpBench(5, 5);
        bench.builder().weight("g", file.floats(gate));
        bench.builder().weight("u", file.floats(up));
        bench.builder().weight("d", file.floats(down));
        bench.op((in, out) -> new GatedMlp(in, GatedUnit.of("g", "u", "d", Activation.GELU), out));
        Expected[][] expected = new Expected[2][];
        for (int t = 0; t < 2; t++) {
            Expected[] g = Expected.multiply(gate, x[t]);
            Expected[] u = Expected.multiply(up, x[t]);
            Expected[] h = new Expected[9];
            for (int i = 0; i < 9; i++) {
                double v = g[i].value();
                double tanh = Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * Math.pow(v, 3)));
                h[i] = g[i].map(0.5 * v * (1 + tanh), 1.13).times(u[i]); // nowhere steeper
            }
            expected[t] = Expected.multiply(down, h);
        }
        compare(GatedMlp.class, bench.run(tested, x), expected);
    }

    @Test
    void cappedLogitsAreATangentOfThem() {
        float[][] head = random(71, 70, 8);
        float[][] x = tested.rows(72, 2, 8);
        OpBench bench = new OpBench(8, 8);
        bench.builder().weight("head", new WeightFile(directory).floats(head));
        StepResult result = bench.op((in, out) ->
                        new Logits(in, "head", 0.5f, bench.builder().logits(70)))
                .result(tested, x)
                .step();
        Expected[][] expected = new Expected[2][];
        for (int t = 0; t < 2; t++) {
            expected[t] = Arrays.stream(Expected.multiply(head, x[t]))
                    .map(logit -> logit.map(0.5 * Math.tanh(logit.value() / 0.5), 1))
                    .toArray(Expected[]::new);
        }
        compare(Logits.class, result.logits(), expected);
    }

    @Test
    void logitsOfEveryWantedRow() {
        float[][] head = random(27, 70, 8);
        float[][] x = tested.rows(28, 2, 8);
        OpBench bench = new OpBench(8, 8);
        bench.builder().weight("head", new WeightFile(directory).floats(head));
        StepResult result = bench.op(
                        (in, out) -> new Logits(in, "head", bench.builder().logits(70)))
                .result(tested, x)
                .step();
        compare(Logits.class, result.logits(), Expected.multiply(head, x[0]), Expected.multiply(head, x[1]));
        assertThat(result.activations()).isNull();
    }
}
