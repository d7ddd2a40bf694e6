package org.espalier.node.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

final class ProcessAgeTest {

    @Test
    void growsAsTimePassesAndIsNotLessThanTheJvms() throws InterruptedException {
        double before = ProcessAge.seconds();
        long began = System.nanoTime();
        Thread.sleep(300);
        double passed = (System.nanoTime() - began) * 1e-9;
        double after = ProcessAge.seconds();
        assertThat(after - before).isCloseTo(passed, within(0.1));
        double jvm = ManagementFactory.getRuntimeMXBean().getUptime() * 1e-3;
        assertThat(after).isBetween(jvm - 0.1, jvm + 60);
    }
}
