package org.espalier.model;

import java.util.List;

/**
 * What the parts of a model weigh.
 *
 * @param embedding bytes of the embedding
 * @param layers bytes of each decoder layer
 * @param head bytes of final norm and output matrix; with tied embeddings the embedding's again, for nodes that do not embed
 * @param cacheBytesPerToken KV bytes of one token in one layer
 */
public record ModelSize(long embedding, List<Long> layers, long head, int cacheBytesPerToken) {
    public ModelSize {
        layers = List.copyOf(layers);
    }

    /** Bytes that a node needs for the layers {@code first} to {@code end} exclusive. */
    public long shardBytes(int first, int end) {
        long bytes =
                layers.subList(first, end).stream().mapToLong(Long::longValue).sum();
        return bytes + (first == 0 ? embedding : 0) + (end == layers.size() ? head : 0);
    }
}
