package org.espalier.node.arch;

/**
 * Layers {@code first} to {@code end} exclusive of a model with {@code all} layers.
 */
public record LayerRange(int first, int end, int all) {

    public LayerRange {
        if (first < 0 || first >= end || end > all) {
            throw new IllegalArgumentException("no layers " + first + " to " + end + " of " + all);
        }
    }

    /** Whether the embedding belongs to it. */
    public boolean isFirst() {
        return first == 0;
    }

    /** Whether final norm and output matrix belong to it. */
    public boolean isLast() {
        return end == all;
    }
}
