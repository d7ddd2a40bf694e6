package org.espalier.cluster;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a node reports about itself.
 *
 * @param name unique in the cluster; the address where the node has never answered
 * @param address host:port by which the client reaches it
 * @param problem empty if it answered just now; if not, the other values are empty or 0, and this says it of the node: {@code does not answer}, or
 *     {@code cannot be used: } and why
 * @param version of Espalier
 * @param freeMemoryBytes memory that a shard may still take; nodes of one machine all report the same
 * @param engines the preferred first, also those that cannot be started
 * @param device the name of the processor
 * @param certificateExpires over TLS
 * @param machine the same for nodes on one machine; empty if it is not known
 * @param details all but the memory empty or 0 unless it was asked in full
 */
public record NodeInfo(
        String name,
        String address,
        String problem,
        String version,
        long totalMemoryBytes,
        long freeMemoryBytes,
        List<EngineInfo> engines,
        String device,
        int processors,
        List<ShardInfo> shards,
        Optional<Instant> certificateExpires,
        String machine,
        NodeDetails details) {

    public NodeInfo {
        engines = List.copyOf(engines);
        shards = List.copyOf(shards);
    }

    /** One that did not answer, or not as it should. */
    static NodeInfo without(String name, String address, String problem) {
        return new NodeInfo(
                name,
                address,
                problem,
                "",
                0,
                0,
                List.of(),
                "",
                0,
                List.of(),
                Optional.empty(),
                "",
                NodeDetails.UNKNOWN);
    }

    /** Whether it answered just now. */
    public boolean reachable() {
        return problem.isEmpty();
    }

    NodeInfo with(NodeDetails more) {
        return new NodeInfo(
                name,
                address,
                problem,
                version,
                totalMemoryBytes,
                freeMemoryBytes,
                engines,
                device,
                processors,
                shards,
                certificateExpires,
                machine,
                more);
    }

    /** Name, address, memory, engines and what it holds, in one line. */
    @Override
    public String toString() {
        if (!reachable()) {
            return name + " (" + address + ") " + problem;
        }
        return String.format(
                Locale.ROOT,
                "%s (%s): %.1f of %.1f GB free, %s; holds %s",
                name,
                address,
                freeMemoryBytes / 1e9,
                totalMemoryBytes / 1e9,
                engines.stream().map(EngineInfo::name).collect(Collectors.joining(", ")),
                shards.isEmpty()
                        ? "nothing"
                        : shards.stream().map(ShardInfo::deployment).collect(Collectors.joining(", ")));
    }
}
