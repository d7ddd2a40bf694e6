package org.espalier.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.placement.NodeMemory;
import org.espalier.placement.Placement;
import org.espalier.placement.PlacementException;
import org.espalier.placement.PlacementFile;
import org.espalier.placement.Strategy;
import org.espalier.plan.ModelSize;

/**
 * Where a model's layers go.
 *
 * @param nodes as they were described just now
 * @param freed ids of the deployments whose memory becomes free for this one
 */
record Placing(ModelSize size, List<NodeInfo> nodes, Set<String> freed) {

    /**
     * A placement over the nodes that answer, or the one that a file names.
     *
     * @throws org.espalier.EspalierException if there is none, or a node does not have the engine; then nothing has changed
     */
    Placement by(LoadOptions options) {
        Placement placement = options.placement().endsWith(".json")
                ? checked(PlacementFile.read(Path.of(options.placement())))
                : checked(Strategy.named(options.placement()).place(size, memory(chosen(options.nodes()))));
        placement.nodes().forEach(name -> refuseWithoutEngine(node(name), options.engine()));
        return placement;
    }

    /** @throws org.espalier.EspalierException naming all that is wrong, or the node that does not answer */
    Placement checked(Placement placement) {
        placement
                .check(size.layers().size(), nodes.stream().map(NodeInfo::name).toList())
                .requireTogether(size.joined());
        placement.nodes().stream()
                .map(this::node)
                .filter(node -> !node.reachable())
                .findFirst()
                .ifPresent(node -> {
                    throw new NodeLostException(
                            new Failure(node.name(), Failure.Kind.NODE_LOST, "node " + node).with(Remedy.LOAD_AGAIN),
                            null);
                });
        return placement;
    }

    /** What each strategy makes of these nodes, of those that hold the model. */
    List<Placement> byStrategies(List<String> names) {
        List<NodeInfo> chosen = names.stream().map(this::node).toList();
        List<Placement> placements = new ArrayList<>();
        for (Strategy strategy : Strategy.BY_NAME.values()) {
            try {
                placements.add(checked(strategy.place(size, memory(chosen))));
            } catch (PlacementException e) {
                // the nodes cannot hold it in that way, so that there is nothing to compare with
            }
        }
        return placements;
    }

    /** Whether all shards fit into memory that is free now, without freeing anything else. */
    boolean fitsBeside(Placement placement, String id) {
        Map<String, Long> needs = placement.shards().stream()
                .collect(Collectors.groupingBy(
                        shard -> machine(node(shard.node())),
                        Collectors.summingLong(shard ->
                                size.shard(shard.firstLayer(), shard.endLayer()).bytes())));
        return needs.entrySet().stream().allMatch(machine -> machine.getValue() <= free(machine.getKey(), Set.of(id)));
    }

    private List<NodeInfo> chosen(int count) {
        List<NodeInfo> answering = nodes.stream().filter(NodeInfo::reachable).toList();
        if (answering.isEmpty()) {
            throw new ClusterException("no node of the cluster answers: " + silent(), Remedy.CONNECT);
        }
        if (count < 0 || count > answering.size()) {
            String silent = silent();
            throw new ClusterException(
                    "the cluster has " + nodes.size() + " nodes"
                            + (silent.isEmpty() ? "" : ", of which " + silent) + ", but " + count
                            + " were asked for",
                    Remedy.USE_FEWER_NODES);
        }
        return count == 0 ? answering : answering.subList(0, count);
    }

    private String silent() {
        return nodes.stream()
                .filter(node -> !node.reachable())
                .map(node -> node.name() + " " + node.problem())
                .collect(Collectors.joining(", "));
    }

    private List<NodeMemory> memory(List<NodeInfo> chosen) {
        return chosen.stream()
                .map(node -> new NodeMemory(node.name(), free(machine(node), freed), machine(node)))
                .toList();
    }

    /** A node that does not know its machine, as older ones, has it for itself. */
    static String machine(NodeInfo node) {
        return node.machine().isEmpty() ? "node " + node.name() : node.machine();
    }

    /**
     * What a machine has for shards: nodes there report the same memory, and each what it holds of it. It is what is free, and no more than models may
     * have there less what they keep.
     */
    private long free(String machine, Set<String> freed) {
        List<NodeInfo> there = nodes.stream()
                .filter(node -> node.reachable() && machine(node).equals(machine))
                .toList();
        long free = there.stream().mapToLong(NodeInfo::freeMemoryBytes).min().orElse(0);
        long limit = there.stream()
                .map(NodeInfo::details)
                .filter(details -> !details.modelMemorySource().isEmpty()) // else all of it, and what is free says more
                .mapToLong(NodeDetails::modelMemoryBytes)
                .min()
                .orElse(Long.MAX_VALUE);
        return Math.max(
                0, Math.min(free + held(there, freed::contains), limit - held(there, id -> !freed.contains(id))));
    }

    private static long held(List<NodeInfo> nodes, Predicate<String> deployments) {
        return nodes.stream()
                .flatMap(node -> node.shards().stream())
                .filter(shard -> deployments.test(shard.deployment()))
                .mapToLong(ShardInfo::residentBytes)
                .sum();
    }

    private NodeInfo node(String name) {
        return nodes.stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static void refuseWithoutEngine(NodeInfo node, String engine) {
        if (engine.isEmpty()) {
            return;
        }
        Optional<EngineInfo> found = node.engines().stream()
                .filter(known -> known.name().equals(engine))
                .findFirst();
        if (found.isEmpty()) {
            throw new ClusterException("node " + node.name() + " has no engine '" + engine + "': it has "
                    + node.engines().stream().map(EngineInfo::name).collect(Collectors.joining(", ")));
        }
        if (found.get().availability() == EngineInfo.Availability.MISSING) {
            throw new ClusterException("node " + node.name() + " cannot run the engine " + engine + ": "
                    + found.get().detail());
        }
    }
}
