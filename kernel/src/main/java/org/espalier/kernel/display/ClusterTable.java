package org.espalier.kernel.display;

import java.util.List;
import java.util.stream.Collectors;
import org.espalier.cluster.EngineInfo;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.ShardInfo;
import org.espalier.placement.Placement.Shard;

/** The nodes of a cluster: memory, engines, and what each holds. */
public final class ClusterTable {

    private ClusterTable() {}

    public static Grid of(List<NodeInfo> nodes) {
        return new Grid(
                List.of("node", "address", "device", "free memory", "engines", "holds"),
                nodes.stream().map(ClusterTable::row).toList());
    }

    private static List<String> row(NodeInfo node) {
        if (!node.reachable()) {
            return List.of(node.name(), node.address(), "does not answer", "", "", "");
        }
        return List.of(
                node.name(),
                node.address(),
                node.device() + " x " + node.processors(),
                Bytes.text(node.freeMemoryBytes()),
                node.engines().stream().map(EngineInfo::toString).collect(Collectors.joining(", ")),
                node.shards().isEmpty()
                        ? "nothing"
                        : node.shards().stream()
                                .map(shard -> holds(node, shard))
                                .collect(Collectors.joining("; ")));
    }

    private static String holds(NodeInfo node, ShardInfo shard) {
        String layers = shard.placement().shards().stream()
                .filter(part -> part.node().equals(node.name()))
                .map(Shard::layers)
                .map(count -> count + " layers")
                .findFirst()
                .orElse("no layers");
        return shard.deployment() + ": " + layers + ", " + Bytes.text(shard.residentBytes())
                + (shard.serving() ? "" : ", not serving");
    }
}
