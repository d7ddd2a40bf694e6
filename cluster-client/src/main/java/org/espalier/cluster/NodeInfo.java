package org.espalier.cluster;

import java.util.List;

/**
 * What a node reports about itself.
 *
 * @param name unique in the cluster; the address where the node has never answered
 * @param address host:port by which the client reaches it
 * @param reachable whether it answered just now; if not, the other values are empty or 0
 * @param version of Espalier
 * @param freeMemoryBytes memory that a shard may still take
 * @param engines the preferred first, also those that cannot be started
 * @param device the name of the processor
 */
public record NodeInfo(
        String name,
        String address,
        boolean reachable,
        String version,
        long totalMemoryBytes,
        long freeMemoryBytes,
        List<EngineInfo> engines,
        String device,
        int processors,
        List<ShardInfo> shards) {

    public NodeInfo {
        engines = List.copyOf(engines);
        shards = List.copyOf(shards);
    }

    static NodeInfo unreachable(String name, String address) {
        return new NodeInfo(name, address, false, "", 0, 0, List.of(), "", 0, List.of());
    }
}
