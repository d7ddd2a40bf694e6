package org.espalier.node.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.espalier.node.delivery.BufferLimits;
import org.junit.jupiter.api.Test;

/** With invented times. */
class BufferSweepTest {

    private static final String GPU = "MLX 9.9.9 on a GPU";

    /** Times by operations, one after the other; 0 are MLX's own. What is not named takes 100 ms. */
    private final Map<Integer, Iterator<Double>> times = new HashMap<>();

    private final BufferSweep sweep = new BufferSweep(limits -> times.containsKey(limits.operations())
            ? times.get(limits.operations()).next()
            : 0.1);

    private void takes(int operations, double... seconds) {
        times.put(operations, DoubleStream.of(seconds).iterator());
    }

    @Test
    void mlxsOwnComeFirstWithNothingSetAndAreKeptWhereAllAreAlike() throws InterruptedException {
        assertThat(sweep.kept(GPU)).isEqualTo(BufferLimits.own(GPU));
        assertThat(sweep.text())
                .isEqualTo("unset (MLX's own): 100.000 ms; 40 ops 40 MB: 100.000 ms; 50 ops 50 MB: 100.000 ms;"
                        + " 200 ops 100 MB: 100.000 ms; 500 ops 200 MB: 100.000 ms; 1000 ops 400 MB: 100.000 ms; ");
        assertThat(BufferLimits.own(GPU).variables()).isEmpty();
    }

    @Test
    void aLittleFasterIsNotEnough() throws InterruptedException {
        takes(40, 0.098);
        assertThat(sweep.kept(GPU)).isEqualTo(BufferLimits.own(GPU));
    }

    @Test
    void clearlyFasterTwiceIsKept() throws InterruptedException {
        takes(200, 0.096);
        takes(500, 0.092, 0.093);
        takes(1000, 0.095);
        assertThat(sweep.kept(GPU)).isEqualTo(new BufferLimits(500, 200, GPU));
        assertThat(sweep.text()).endsWith("500 ops 200 MB: 93.000 ms; unset (MLX's own): 100.000 ms; ");
    }

    @Test
    void fasterByChanceIsNotKept() throws InterruptedException {
        takes(0, 0.12, 0.1);
        takes(1000, 0.09, 0.099);
        assertThat(sweep.kept(GPU)).isEqualTo(BufferLimits.own(GPU));
    }

    @Test
    void aProcessorKeepsMlxsOwnWhateverTheTimes() throws InterruptedException {
        String processor = "MLX 9.9.9 on the processor";
        takes(1000, 0.01, 0.01);
        assertThat(sweep.kept(processor)).isEqualTo(BufferLimits.own(processor));
    }
}
