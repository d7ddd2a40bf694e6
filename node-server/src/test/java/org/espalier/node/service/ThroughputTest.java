package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Messages of 262,144 bytes. */
class ThroughputTest {

    private static final long MS = 1_000_000;

    private static List<Long> times(long... gaps) {
        List<Long> times = new ArrayList<>(List.of(7L));
        for (long gap : gaps) {
            times.add(times.get(times.size() - 1) + gap);
        }
        return times;
    }

    /** Cold: 20 messages of 50 ms, then 12 of 1 ms, which is what the wire can do. */
    @Test
    void whatIsSlowAtFirstDoesNotCount() {
        long[] gaps = new long[32];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = i < 20 ? 50 * MS : MS;
        }
        assertThat(Throughput.best(times(gaps))).isEqualTo(262_144_000);
    }

    /** Four answers at once, every 4 ms, are no faster than one each millisecond. */
    @Test
    void answersThatComeTogetherAreNoSpeed() {
        long[] gaps = new long[32];
        for (int i = 0; i < gaps.length; i += 4) {
            gaps[i] = 4 * MS;
        }
        assertThat(Throughput.best(times(gaps))).isEqualTo(262_144_000);
    }

    @Test
    void aSlowWayIsMeasuredByWhatArrived() {
        assertThat(Throughput.best(times(500 * MS))).isEqualTo(524_288);
        assertThat(Throughput.best(times())).isZero();
    }
}
