package org.espalier.placement;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.espalier.Remedy;

/**
 * What each node of the ring holds, in ring order: the first is the head, the last one samples.
 *
 * @param strategy {@code pipeline}
 * @param layers L of the model
 */
public record Placement(String strategy, int layers, List<Shard> shards) {

    public Placement {
        shards = List.copyOf(shards);
    }

    /**
     * One node's part: layers {@code firstLayer} to {@code endLayer} exclusive. The head also embeds, the last node also has the final
     * norm and the output matrix.
     */
    public record Shard(String node, int firstLayer, int endLayer) {
        public int layers() {
            return endLayer - firstLayer;
        }

        @Override
        public String toString() {
            String which = layers() == 1 ? "layer " + firstLayer : "layers " + firstLayer + " to " + (endLayer - 1);
            return which + " on " + node;
        }
    }

    public List<String> nodes() {
        return shards.stream().map(Shard::node).toList();
    }

    /**
     * Proves that every layer is held exactly once, in ring order, each node once; done before a byte moves.
     *
     * @param modelLayers L
     * @param knownNodes the names that shards may use
     * @return this
     * @throws PlacementException that lists everything wrong
     */
    public Placement check(int modelLayers, List<String> knownNodes) {
        List<String> wrong = new ArrayList<>();
        if (!Strategy.BY_NAME.containsKey(strategy)) {
            wrong.add("strategy '" + strategy + "' is not one of " + String.join(", ", Strategy.BY_NAME.keySet()));
        }
        if (layers != modelLayers) {
            wrong.add("it is for " + layers + " layers, but the model has " + modelLayers);
        }
        Set<String> seen = new HashSet<>();
        int covered = 0;
        for (Shard shard : shards) {
            if (!knownNodes.contains(shard.node())) {
                wrong.add("node " + shard.node() + " is not in the cluster (" + String.join(", ", knownNodes) + ")");
            }
            if (!seen.add(shard.node())) {
                wrong.add("node " + shard.node() + " is listed twice");
            }
            if (shard.layers() <= 0) {
                wrong.add("node " + shard.node() + " has no layer (" + shard.firstLayer() + " to " + shard.endLayer()
                        + ")");
            } else if (shard.firstLayer() > covered) {
                wrong.add(range(covered, shard.firstLayer()) + " on no node");
            } else if (shard.firstLayer() < covered) {
                wrong.add(range(shard.firstLayer(), Math.min(covered, shard.endLayer())) + " on more than one node");
            }
            covered = Math.max(covered, shard.endLayer());
        }
        if (covered < modelLayers) {
            wrong.add(range(covered, modelLayers) + " on no node");
        } else if (covered > modelLayers) {
            wrong.add(range(modelLayers, covered) + " not in the model");
        }
        if (!wrong.isEmpty()) {
            throw new PlacementException(
                    "the placement does not fit: " + String.join("; ", wrong), Remedy.PLAN_PLACEMENT);
        }
        return this;
    }

    private static String range(int first, int end) {
        return end - first == 1 ? "layer " + first + " is" : "layers " + first + " to " + (end - 1) + " are";
    }

    /** A table, one line a node. */
    @Override
    public String toString() {
        int width = shards.stream().mapToInt(s -> s.node().length()).max().orElse(4);
        StringBuilder table = new StringBuilder(strategy + ", " + layers + " layers over " + shards.size() + " node"
                + (shards.size() == 1 ? "" : "s") + "\n");
        for (int i = 0; i < shards.size(); i++) {
            Shard shard = shards.get(i);
            String ends = (i == 0 ? " + embedding" : "") + (i == shards.size() - 1 ? " + output" : "");
            table.append(String.format(
                    "  %-" + width + "s  layers %d to %d%s%n",
                    shard.node(),
                    shard.firstLayer(),
                    shard.endLayer() - 1,
                    ends));
        }
        return table.toString();
    }
}
