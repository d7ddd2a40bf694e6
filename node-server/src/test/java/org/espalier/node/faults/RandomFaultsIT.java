package org.espalier.node.faults;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * Random faults of a ring of processes, from seeds. A failure says how to repeat it: {@code -Despalier.faults.seed=S
 * -Despalier.faults.count=1}; times, and with them orders, are the machine's. {@code -Despalier.faults.rejoin=N} gives a broken ring N ms to join by itself.
 */
@EnabledOnOs(OS.LINUX)
class RandomFaultsIT {

    private static final long SEED = Long.getLong("espalier.faults.seed", 1);
    private static final int COUNT = Integer.getInteger("espalier.faults.count", 5);
    private static final Duration REJOIN = Duration.ofMillis(Integer.getInteger("espalier.faults.rejoin", 5000));

    @Test
    void everyGenerationEndsRightlyOrNamesTheNode() throws Exception {
        try (RandomFaults faults = new RandomFaults(REJOIN)) {
            for (long seed = SEED; seed < SEED + COUNT; seed++) {
                List<Fault> what = RandomFaults.faults(seed);
                long begin = System.nanoTime();
                try {
                    faults.run(seed);
                } catch (Throwable e) {
                    throw new AssertionError(
                            "seed " + seed + ", " + what + ": " + e.getMessage()
                                    + "; repeat it with -Despalier.faults.seed=" + seed + " -Despalier.faults.count=1",
                            e);
                }
                if (COUNT > 20) {
                    System.err.printf("%d %.1f s %s%n", seed, (System.nanoTime() - begin) / 1e9, what);
                }
            }
            System.err.println(COUNT + " faults: " + faults.outcomes());
        }
    }
}
