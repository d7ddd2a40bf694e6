package org.espalier.placement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.espalier.Remedy;
import org.espalier.plan.ModelSize;

/**
 * Gives each node consecutive layers, so that the fullest node is as empty as possible; a node's fill is its shard's bytes over its free
 * bytes, of which nodes on one machine have equal parts. Every node gets at least one layer, and begins with one that may begin; if there are more nodes than such layers, the last nodes get none
 * and stay out of the ring.
 */
public final class PipelineStrategy implements Strategy {

    @Override
    public Placement place(ModelSize model, List<NodeMemory> nodes) {
        int layers = model.layers().size();
        long beginnings =
                IntStream.range(0, layers).filter(model.joined()::mayBegin).count();
        int stages = (int) Math.min(nodes.size(), beginnings);
        if (stages == 0) {
            throw new PlacementException("there is no node to place the model on", Remedy.CONNECT);
        }
        List<NodeMemory> used = nodes.subList(0, stages);
        int[] ends = leastFullestNode(model, used);
        List<Placement.Shard> shards = new ArrayList<>();
        Map<String, Long> needs = new LinkedHashMap<>();
        for (int stage = 0, first = 0; stage < stages; first = ends[stage++]) {
            NodeMemory node = used.get(stage);
            needs.merge(node.machine(), model.shard(first, ends[stage]).bytes(), Long::sum);
            shards.add(new Placement.Shard(node.node(), first, ends[stage]));
        }
        needs.forEach((machine, need) -> {
            List<NodeMemory> there = on(machine, used);
            if (need > there.get(0).freeBytes()) {
                throw new PlacementException(shortOfMemory(there, need, nodes.size()));
            }
        });
        return new Placement("pipeline", layers, shards);
    }

    /**
     * Dynamic programming over (stages, layers): best[s][l] is the least possible fill of the fullest of the first s nodes when they hold
     * the first l layers. Returns each stage's end layer.
     */
    private static int[] leastFullestNode(ModelSize model, List<NodeMemory> nodes) {
        int layers = model.layers().size();
        int stages = nodes.size();
        double[][] best = new double[stages + 1][layers + 1];
        int[][] from = new int[stages + 1][layers + 1];
        for (double[] row : best) {
            Arrays.fill(row, Double.POSITIVE_INFINITY);
        }
        best[0][0] = 0;
        for (int stage = 1; stage <= stages; stage++) {
            NodeMemory node = nodes.get(stage - 1);
            double free = Math.max(
                    1, (double) node.freeBytes() / on(node.machine(), nodes).size());
            for (int end = stage; end <= layers - (stages - stage); end++) {
                for (int first = stage - 1; first < end; first++) {
                    double fill = Math.max(
                            best[stage - 1][first], model.shard(first, end).bytes() / free);
                    if (fill < best[stage][end] && model.joined().mayBegin(first)) {
                        best[stage][end] = fill;
                        from[stage][end] = first;
                    }
                }
            }
        }
        int[] ends = new int[stages];
        for (int stage = stages, end = layers; stage > 0; end = from[stage--][end]) {
            ends[stage - 1] = end;
        }
        return ends;
    }

    private static List<NodeMemory> on(String machine, List<NodeMemory> nodes) {
        return nodes.stream().filter(node -> node.machine().equals(machine)).toList();
    }

    private static String shortOfMemory(List<NodeMemory> there, long need, int nodes) {
        NodeMemory node = there.get(0);
        if (there.size() > 1) {
            return String.format(
                    "nodes %s are on one machine, which has %.1f GB free for models, their shards need %.1f GB: connect nodes on other machines too,"
                            + " or close other programs there",
                    there.stream().map(NodeMemory::node).collect(Collectors.joining(", ")),
                    node.freeBytes() / 1e9,
                    need / 1e9);
        }
        return String.format(
                "node %s has %.1f GB free for models, its shard needs %.1f GB: connect more than %d node%s, or close other programs there",
                node.node(), node.freeBytes() / 1e9, need / 1e9, nodes, nodes == 1 ? "" : "s");
    }
}
