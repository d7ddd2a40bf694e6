package org.espalier.cluster;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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

    /** All that nodes hold, by id; of each id its newest placement. */
    public static List<Deployment> on(List<NodeInfo> nodes) {
        Map<String, Deployment> byId = new TreeMap<>();
        nodes.stream()
                .flatMap(node -> node.shards().stream())
                .sorted(Comparator.comparingLong(ShardInfo::epoch))
                .forEach(shard -> byId.put(shard.deployment(), of(shard, nodes)));
        return List.copyOf(byId.values());
    }

    private static Deployment of(ShardInfo one, List<NodeInfo> nodes) {
        Map<String, String> engines = new LinkedHashMap<>();
        long bytes = 0;
        for (NodeInfo node : nodes) {
            for (ShardInfo shard : node.shards()) {
                if (shard.deployment().equals(one.deployment()) && shard.epoch() == one.epoch()) {
                    engines.put(node.name(), shard.engine());
                    bytes += shard.residentBytes();
                }
            }
        }
        return new Deployment(
                one.deployment(), one.epoch(), one.model().name(), one.placement(), engines, one.precision(), bytes, 0);
    }

    /** Nodes of the placement that did not answer, or no longer hold their part: without them it does not serve. */
    public List<String> missing() {
        return placement.nodes().stream()
                .filter(node -> !engines.containsKey(node))
                .toList();
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

    @Override
    public String toString() {
        return id + (id.equals(model) ? "" : " (" + model + ")") + ", "
                + placement.shards().stream().map(Placement.Shard::toString).collect(Collectors.joining(", "))
                + ", engine " + engine() + ", "
                + precision + (missing().isEmpty() ? "" : ", does not serve without " + String.join(", ", missing()));
    }
}
