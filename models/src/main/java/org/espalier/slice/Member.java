package org.espalier.slice;

import java.util.List;
import java.util.Objects;

/**
 * One node of a group: what its program is built from.
 *
 * @param rank of the node, from 0
 */
public record Member(SliceGroup group, int rank) {

    public Member {
        Objects.checkIndex(rank, group.size());
    }

    /** A node that has these layers for itself. */
    public static Member alone(LayerRange layers) {
        return new Member(SliceGroup.alone(layers), 0);
    }

    /** What this node holds. */
    public Slice slice() {
        return group.slices().get(rank);
    }

    /** Of all members in the order of ranks, what each has of {@code vocabulary} rows. */
    public List<Share.Cut> vocabulary(int vocabulary) {
        return group.slices().stream()
                .map(slice -> slice.shares().vocabulary().cut(vocabulary, 1))
                .toList();
    }
}
