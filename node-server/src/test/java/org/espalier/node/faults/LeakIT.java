package org.espalier.node.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Thousands of tokens later nodes are as large as before. */
@EnabledOnOs(OS.LINUX)
@EnabledIfSystemProperty(
        named = "espalier.leak.generations",
        matches = "\\d+",
        disabledReason = "it takes minutes: mvn -Pfaults")
class LeakIT {

    private static final int GENERATIONS = Integer.getInteger("espalier.leak.generations", 0);
    private static final int NODES = 3;
    private static final int LENGTH = 24;
    private static final int EACH = 10;

    /** Small, or the collector lets garbage lie that looks like a leak. */
    private static final String HEAP = "-Xmx64m";

    private static final double MOST_BYTES_A_GENERATION = 10_000;

    /** A node's state after some generations. */
    private record Seen(int generations, long resident, int descriptors, Map<String, Integer> threads) {}

    @Test
    void generationsLeaveNothing() throws Exception {
        List<List<Seen>> seen = IntStream.range(0, NODES)
                .mapToObj(i -> (List<Seen>) new ArrayList<Seen>())
                .toList();
        try (ProcessRing ring = new ProcessRing(NODES, HEAP)) {
            ring.load();
            ManagedChannel client = ring.client();
            for (int i = 1; i <= GENERATIONS; i++) {
                Asked asked = Asked.over(client, ring.epoch(), i % Asked.PROMPTS, LENGTH);
                assertThat(asked.ends(Duration.ofSeconds(60))).isTrue();
                assertThat(asked.error()).isNull();
                if (i > GENERATIONS / 2 && i % EACH == 0) {
                    for (int node = 0; node < NODES; node++) {
                        NodeProcess process = ring.nodes.get(node);
                        seen.get(node)
                                .add(new Seen(
                                        i,
                                        process.residentBytes(),
                                        process.descriptors(),
                                        RandomFaults.own(process.threads())));
                    }
                }
            }
            client.shutdownNow();
            assertThat(ring.sessions()).isZero();
        }
        for (int node = 0; node < NODES; node++) {
            List<Seen> one = seen.get(node);
            Seen first = one.get(0);
            Seen last = one.get(one.size() - 1);
            System.err.printf(
                    "node %d: generations %d to %d, RSS %.1f to %.1f MB, %.0f bytes a generation; descriptors %d, threads %d%n",
                    node,
                    first.generations,
                    last.generations,
                    first.resident / 1e6,
                    last.resident / 1e6,
                    slope(one),
                    last.descriptors,
                    last.threads.values().stream().mapToInt(Integer::intValue).sum());
        }
        for (List<Seen> node : seen) {
            assertThat(slope(node)).isLessThan(MOST_BYTES_A_GENERATION);
            assertThat(node).extracting(Seen::descriptors).containsOnly(node.get(0).descriptors);
            assertThat(node).extracting(Seen::threads).containsOnly(node.get(0).threads);
        }
    }

    /** Least squares, in bytes a generation. */
    private static double slope(List<Seen> seen) {
        double n = seen.stream().mapToDouble(Seen::generations).average().orElseThrow();
        double r = seen.stream().mapToDouble(Seen::resident).average().orElseThrow();
        double together = seen.stream()
                .mapToDouble(at -> (at.generations - n) * (at.resident - r))
                .sum();
        double alone = seen.stream()
                .mapToDouble(at -> (at.generations - n) * (at.generations - n))
                .sum();
        return together / alone;
    }
}
