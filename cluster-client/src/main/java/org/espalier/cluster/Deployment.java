package org.espalier.cluster;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.espalier.placement.Placement;

/**
 * A model that is placed on nodes and serves.
 *
 * @param id unique in the cluster; the model's name by default
 * @param epoch grows with every placement of this id
 * @param model its name, as catalogues list it
 * @param engines that run, by node; nodes that did not answer are left out
 * @param precision {@code float32} or {@code fast}: the one that runs, the same on all nodes
 * @param residentBytes memory of all shards
 * @param loadSeconds from the call to the joined ring; 0 where another client loaded it
 */
public record Deployment(
        String id,
        long epoch,
        String model,
        Placement placement,
        Map<String, String> engines,
        String precision,
        long residentBytes,
        double loadSeconds) {

    public Deployment {
        engines = Map.copyOf(engines);
    }

    /** Whether a node's shard is part of this placement, not of an earlier or later one under the same id. */
    boolean holds(ShardInfo shard) {
        return shard.deployment().equals(id) && shard.epoch() == epoch;
    }

    /** The engine that runs; where nodes run different ones, each with its nodes: {@code metal (n0, n2), reference (n1)}. */
    public String engine() {
        Map<String, List<String>> nodes = new LinkedHashMap<>();
        placement.nodes().stream()
                .filter(engines::containsKey)
                .forEach(node -> nodes.computeIfAbsent(engines.get(node), engine -> new ArrayList<>())
                        .add(node));
        return nodes.size() == 1
                ? nodes.keySet().iterator().next()
                : nodes.entrySet().stream()
                        .map(entry -> entry.getKey() + " (" + String.join(", ", entry.getValue()) + ")")
                        .collect(Collectors.joining(", "));
    }
}
