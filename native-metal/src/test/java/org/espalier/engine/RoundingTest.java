package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.engine.reference.RoundingProvider;
import org.espalier.program.Linear;
import org.espalier.program.Projection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the test engine {@code rounding} adds to the reference. */
final class RoundingTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "1, 1",
        "0x1.01p0, 0x1.00p0",
        "0x1.03p0, 0x1.04p0",
        "0x1.0101p0, 0x1.02p0",
        "-0x1.03p0, -0x1.04p0",
        "0x1.ffp0, 0x1p1",
        "0, 0",
        "-0.0, -0.0",
        "Infinity, Infinity",
        "0x1.fffffep127, Infinity",
        "0x1p-133, 0x1p-133"
    })
    void theNearestAndOfTwoTheEven(String value, String rounded) {
        assertThat(BFloat16.round(Float.parseFloat(value))).isEqualTo(Float.parseFloat(rounded));
    }

    @Test
    void noNumberStaysNoNumber() {
        assertThat(BFloat16.round(Float.NaN)).isNaN();
        assertThat(BFloat16.round(Float.intBitsToFloat(0x7f800001))).isNaN();
    }

    /** 1 + 2^-9 is 1 after the first product, so that nothing is left when the second takes 1 from it. */
    @Test
    void theResultOfEachOpIsRounded() {
        assertThat(difference(new EngineUnderTest(new ReferenceProvider(), Precision.FLOAT32)))
                .isEqualTo(0x1p-9f);
        assertThat(difference(new EngineUnderTest(new RoundingProvider(), Precision.FAST)))
                .isZero();
    }

    private float difference(EngineUnderTest engine) {
        try (engine) {
            WeightFile file = new WeightFile(directory);
            OpBench bench = new OpBench(2, 3);
            bench.builder().weight("sum", file.floats(new float[][] {{1, 0x1p-9f}, {1, 0}}));
            bench.builder().weight("difference", file.floats(new float[][] {{1, -1}}));
            bench.op((in, out) -> new Linear(in, Projection.of("sum"), out.columns(0, 2)))
                    .op((in, out) -> new Linear(out.columns(0, 2), Projection.of("difference"), out.columns(2, 1)));
            return bench.run(engine, new float[][] {{1, 1}})[0][2];
        }
    }
}
