package org.espalier.placement;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.espalier.slice.JoinedLayers;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.slice.Shares;
import org.espalier.slice.Slice;
import org.espalier.slice.SliceGroup;

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
     * One node's part: layers {@code firstLayer} to {@code endLayer} exclusive, or a share of each of them.
     */
    public record Shard(String node, int firstLayer, int endLayer, Shares shares) {

        /** These layers, and everything in them. */
        public Shard(String node, int firstLayer, int endLayer) {
            this(node, firstLayer, endLayer, Shares.ALL);
        }

        public int layers() {
            return endLayer - firstLayer;
        }

        /** Whether the two nodes have shares of the same layers. */
        private boolean sharesWith(Shard other) {
            return firstLayer == other.firstLayer
                    && endLayer == other.endLayer
                    && !shares.isAll()
                    && !other.shares.isAll();
        }

        @Override
        public String toString() {
            return Placement.layers(firstLayer, endLayer) + (shares.isAll() ? "" : ", " + shares) + " on " + node;
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
        wrong.addAll(uncovered(modelLayers));
        for (Shard shard : shards) {
            if (!knownNodes.contains(shard.node())) {
                wrong.add("node " + shard.node() + " is not in the cluster (" + String.join(", ", knownNodes) + ")");
            }
        }
        return refuse(wrong);
    }

    /**
     * Proves the same without knowing model and cluster: for a node that is told its part.
     *
     * @return this
     * @throws PlacementException that lists everything wrong
     */
    public Placement checkCoverage() {
        return refuse(uncovered(layers));
    }

    private Placement refuse(List<String> wrong) {
        if (!wrong.isEmpty()) {
            throw new PlacementException(
                    "the placement does not fit: " + String.join("; ", wrong), Remedy.PLAN_PLACEMENT);
        }
        return this;
    }

    private List<String> uncovered(int all) {
        List<String> wrong = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        int covered = 0;
        Shard before = null;
        for (Shard shard : shards) {
            if (!seen.add(shard.node())) {
                wrong.add("node " + shard.node() + " is listed twice");
            }
            if (shard.layers() <= 0) {
                wrong.add("node " + shard.node() + " has no layer (" + shard.firstLayer() + " to " + shard.endLayer()
                        + ")");
            } else if (shard.firstLayer() > covered) {
                wrong.add(range(covered, shard.firstLayer()) + " on no node");
            } else if (shard.firstLayer() < covered && !(before != null && before.sharesWith(shard))) {
                wrong.add(range(shard.firstLayer(), Math.min(covered, shard.endLayer())) + " on more than one node");
            }
            covered = Math.max(covered, shard.endLayer());
            before = shard;
        }
        if (covered < all) {
            wrong.add(range(covered, all) + " on no node");
        } else if (covered > all) {
            wrong.add(range(all, covered) + " not in the model");
        }
        if (wrong.isEmpty()) {
            together().forEach(group -> uncovered(wrong, group));
        }
        return wrong;
    }

    private void uncovered(List<String> wrong, List<Shard> group) {
        try {
            group(group);
        } catch (EspalierException e) {
            wrong.add(layers(group.get(0).firstLayer(), group.get(0).endLayer()) + ": " + e.getMessage());
        }
    }

    /** The nodes that share layers, which follow each other; a node that has its layers for itself is alone. */
    private List<List<Shard>> together() {
        List<List<Shard>> groups = new ArrayList<>();
        for (Shard shard : shards) {
            List<Shard> last = groups.isEmpty() ? null : groups.get(groups.size() - 1);
            if (last != null && last.get(0).sharesWith(shard)) {
                last.add(shard);
            } else {
                groups.add(new ArrayList<>(List.of(shard)));
            }
        }
        return groups;
    }

    private SliceGroup group(List<Shard> group) {
        return new SliceGroup(group.stream()
                .map(shard -> new Slice(new LayerRange(shard.firstLayer(), shard.endLayer(), layers), shard.shares()))
                .toList());
    }

    /**
     * What each shard's program is built from, in their order; the placement was checked.
     *
     * @throws EspalierException if the shares of a layer do not fit each other
     */
    public List<Member> members() {
        List<Member> members = new ArrayList<>();
        for (List<Shard> group : together()) {
            SliceGroup slices = group(group);
            IntStream.range(0, group.size()).forEach(rank -> members.add(new Member(slices, rank)));
        }
        return members;
    }

    /**
     * Refuses to load what nodes cannot compute yet.
     *
     * @return this
     * @throws PlacementException naming the first nodes that share layers
     */
    public Placement requireNothingShared() {
        for (List<Shard> group : together()) {
            if (group.size() > 1 || !group.get(0).shares().isAll()) {
                String nodes = group.stream().map(Shard::node).collect(Collectors.joining(", "));
                throw new PlacementException(
                        "the placement cuts layers into shares (on " + nodes
                                + "), and nodes cannot exchange values within a layer yet: place whole layers",
                        Remedy.PLAN_PLACEMENT);
            }
        }
        return this;
    }

    /**
     * Refuses shards that would need what another one has.
     *
     * @param joined the model's
     * @return this
     * @throws PlacementException that lists everything wrong
     */
    public Placement requireTogether(JoinedLayers joined) {
        return refuse(shards.stream()
                .flatMap(shard -> joined.refusal(shard.firstLayer()).stream())
                .distinct()
                .toList());
    }

    private static String range(int first, int end) {
        return layers(first, end) + (end - first == 1 ? " is" : " are");
    }

    private static String layers(int first, int end) {
        return end - first == 1 ? "layer " + first : "layers " + first + " to " + (end - 1);
    }

    /** Whether shard {@code index} embeds: each of those that share the first layer. */
    public boolean embeds(int index) {
        return shards.get(index).firstLayer() == 0;
    }

    /** Whether shard {@code index} has the final norm and the output matrix, or rows of it: each of those that share the last layer. */
    public boolean hasOutput(int index) {
        return shards.get(index).endLayer() == layers;
    }

    /** Whether shard {@code index} samples: the first of those that share the last layer. */
    public boolean samples(int index) {
        return hasOutput(index) && (index == 0 || !hasOutput(index - 1));
    }

    /** A table, one line a node. */
    @Override
    public String toString() {
        int width = shards.stream().mapToInt(s -> s.node().length()).max().orElse(4);
        StringBuilder table = new StringBuilder(strategy + ", " + layers + " layers over " + shards.size() + " node"
                + (shards.size() == 1 ? "" : "s") + "\n");
        for (int i = 0; i < shards.size(); i++) {
            Shard shard = shards.get(i);
            String ends = (embeds(i) ? " + embedding" : "") + (hasOutput(i) ? " + output" : "");
            table.append(String.format(
                    "  %-" + width + "s  layers %d to %d%s%s%n",
                    shard.node(),
                    shard.firstLayer(),
                    shard.endLayer() - 1,
                    shard.shares().isAll() ? "" : ", " + shard.shares(),
                    ends));
        }
        return table.toString();
    }
}
