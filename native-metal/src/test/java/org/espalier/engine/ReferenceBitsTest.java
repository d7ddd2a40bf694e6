package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.program.Linear;
import org.espalier.program.Projection;
import org.espalier.weights.Plain;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** On what the reference engine's bits depend, as ARCHITECTURE.md says: whether a product has one row or several, and nothing else. */
final class ReferenceBitsTest {

    private static final int COLUMNS = 256;

    @TempDir
    Path directory;

    private final EngineUnderTest engine = new EngineUnderTest(new ReferenceProvider(), Precision.FLOAT32);

    @AfterEach
    void close() {
        engine.close();
    }

    private float[][] linear(Weight weight, float[]... rows) {
        OpBench bench = new OpBench(COLUMNS, weight.rows());
        bench.builder().weight("w", weight);
        return bench.op((in, out) -> new Linear(in, Projection.of("w"), out)).run(engine, rows);
    }

    @ParameterizedTest
    @MethodSource("org.espalier.engine.RandomWeight#formats")
    void aRowAloneDiffersOnlyInQuantizedFormatsThatAreMultipliedPacked(WeightFormat format) {
        Weight weight = RandomWeight.of(format, 33, COLUMNS, new WeightFile(directory));
        float[][] x = engine.rows(93, 5, COLUMNS);
        float[][] together = linear(weight, x);
        float[][] pair = linear(weight, x[3], x[1]);
        assertThat(pair).isDeepEqualTo(new float[][] {together[3], together[1]});
        float[][] alone = Arrays.stream(x).map(row -> linear(weight, row)[0]).toArray(float[][]::new);
        boolean packed = format.hasDot() && !(format instanceof Plain); // bfloat16 is added up as floats are
        assertThat(Arrays.deepEquals(alone, together)).isEqualTo(!packed);
    }

    @Test
    void stepsOfAnyLengthHaveTheSameBitsInFloat32Weights() {
        int[] prompt = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};
        try (LoadedProgram program = engine.load(TinyProgram.tokens(new WeightFile(directory)))) {
            float[][] whole = null;
            for (int chunk : new int[] {12, 1, 2, 5}) {
                program.open(chunk, 12, RouterEdits.NONE);
                float[][] logits = new float[prompt.length][];
                for (int from = 0; from < prompt.length; from += chunk) {
                    int[] tokens = Arrays.copyOfRange(prompt, from, Math.min(prompt.length, from + chunk));
                    Step step = Step.of(Step.Entry.ofTokens(chunk, from, tokens, Step.Logits.ALL));
                    float[][] part =
                            program.run(step, Exchange.ALONE, new Cancel()).logits();
                    System.arraycopy(part, 0, logits, from, part.length);
                }
                whole = whole == null ? logits : whole;
                assertThat(logits).isDeepEqualTo(whole);
            }
        }
    }
}
