package org.espalier.placement;

import java.util.List;

/**
 * For every node of the ring, in ring order, what it holds: the first is the head, the last samples.
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
    }
}
