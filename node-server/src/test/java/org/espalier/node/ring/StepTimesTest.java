package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class StepTimesTest {

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final StepTimes times = new StepTimes(50_000_000_000L); // 1000 s at 50 MB/s

    @Test
    void theFirstStepMayReadTheWeights() {
        assertThat(times.limitNanos(1)).isEqualTo(1060 * SECOND);
        assertThat(times.limitNanos(256)).isEqualTo(1060 * SECOND);
        assertThat(times.limitNanos(512)).as("as long for each row").isEqualTo(2120 * SECOND);
        times.measured(1, 900 * SECOND);
        assertThat(times.limitNanos(1)).as("it says nothing of later ones").isEqualTo(1060 * SECOND);
    }

    @Test
    void laterOnesMayTakeTwentyTimesTheSlowestRow() {
        times.measured(1, 900 * SECOND);
        times.measured(10, SECOND);
        assertThat(times.limitNanos(1)).isEqualTo(60 * SECOND);
        assertThat(times.limitNanos(256)).isEqualTo(512 * SECOND);
        times.measured(1, SECOND / 2);
        times.measured(4, SECOND);
        assertThat(times.limitNanos(256)).as("20 x 256 x 0.5 s").isEqualTo(2560 * SECOND);
        assertThat(times.leastLimitNanos()).isEqualTo(60 * SECOND);
        assertThat(times.rowLimitNanos()).isEqualTo(10 * SECOND);
    }
}
