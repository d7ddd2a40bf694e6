package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.espalier.cluster.EngineInfo.Availability;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EngineInfoTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "READY | AVX2 on the processor | cpu (AVX2 on the processor)",
                "OBTAINABLE | MLX 0.32.4 | cpu (not fetched yet: MLX 0.32.4)",
                "MISSING | no C compiler | cpu (missing: no C compiler)",
            })
    void saysOnWhatItRunsOrWhyNot(Availability availability, String detail, String expected) {
        assertThat(new EngineInfo("cpu", availability, detail, 0, List.of("fast"), EngineInfo.Crossing.UNKNOWN))
                .hasToString(expected);
    }
}
