package org.espalier.kernel.display;

import java.util.List;
import java.util.stream.Collectors;
import org.espalier.cluster.EngineInfo;
import org.espalier.cluster.NodeDetails;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.ShardInfo;
import org.espalier.placement.Placement.Shard;

/** The nodes of a cluster: memory, engines, and what each holds. */
public final class ClusterTable {

    /** Of a node's models; {@link NodeInfo#details} has more. */
    private static final int SHOWN_MODELS = 4;

    private ClusterTable() {}

    public static Grid of(List<NodeInfo> nodes) {
        return new Grid(
                List.of(
                        "node",
                        "address",
                        "device",
                        "free memory",
                        "of",
                        "for models",
                        "reads",
                        "engines",
                        "holds",
                        "on disk"),
                nodes.stream().map(ClusterTable::row).toList());
    }

    private static List<String> row(NodeInfo node) {
        if (!node.reachable()) {
            return List.of(node.name(), node.address(), node.problem(), "", "", "", "", "", "", "");
        }
        return List.of(
                node.name(),
                node.address(),
                node.device() + " x " + node.processors(),
                Bytes.text(node.freeMemoryBytes()),
                Bytes.text(node.totalMemoryBytes()),
                usable(node.details()),
                node.details().readBytesPerSecond() == 0
                        ? ""
                        : Bytes.text(node.details().readBytesPerSecond()) + "/s",
                node.engines().stream().map(EngineInfo::toString).collect(Collectors.joining(", ")),
                node.shards().isEmpty()
                        ? "nothing"
                        : node.shards().stream()
                                .map(shard -> holds(node, shard))
                                .collect(Collectors.joining("; ")),
                onDisk(node.details()));
    }

    private static String usable(NodeDetails details) {
        if (details.modelMemoryBytes() == 0) {
            return "";
        }
        return details.modelMemorySource().isEmpty()
                ? "all"
                : Bytes.text(details.modelMemoryBytes()) + " (" + details.modelMemorySource() + ")";
    }

    private static String onDisk(NodeDetails details) {
        String shown = details.models().stream()
                .limit(SHOWN_MODELS)
                .map(model -> model.name() + " " + Bytes.text(model.bytes()))
                .collect(Collectors.joining(", "));
        long more = Math.max(0, details.models().size() - SHOWN_MODELS) + (long) details.furtherModels();
        return more > 0 ? shown + " and " + more + " more" : shown;
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
