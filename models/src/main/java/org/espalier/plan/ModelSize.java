package org.espalier.plan;

import java.util.List;
import org.espalier.slice.JoinedLayers;

/**
 * Memory that the shards of a model need.
 *
 * @param layers memory of shards that hold one layer each, in order
 * @param whole memory of the shard that holds all: less than the sum if embedding and output are one matrix
 * @param joined where no shard begins
 */
public record ModelSize(List<ShardSize> layers, ShardSize whole, JoinedLayers joined) {

    public ModelSize {
        layers = List.copyOf(layers);
    }

    /** Of a model that may be cut between any two layers. */
    public ModelSize(List<ShardSize> layers, ShardSize whole) {
        this(layers, whole, JoinedLayers.NONE);
    }

    /** Memory of the shard that holds the layers {@code first} to {@code end} exclusive. */
    public ShardSize shard(int first, int end) {
        return end - first == layers.size()
                ? whole
                : layers.subList(first, end).stream().reduce(ShardSize.NONE, ShardSize::plus);
    }
}
