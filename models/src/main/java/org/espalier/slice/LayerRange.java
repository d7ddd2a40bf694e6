package org.espalier.slice;

import org.espalier.EspalierException;

/**
 * The decoder layers {@code first} to {@code end} exclusive of a model with {@code all} layers.
 *
 * @param all L
 */
public record LayerRange(int first, int end, int all) {

    /** @throws EspalierException if it is empty or leaves the model */
    public LayerRange {
        if (first < 0 || end <= first || end > all) {
            throw new EspalierException("the model has layers 0 to " + (all - 1) + ", not " + first + " to " + (end - 1)
                    + ": ask for at least one of them");
        }
    }

    public static LayerRange whole(int all) {
        return new LayerRange(0, all, all);
    }

    /** Whether tokens come in. */
    public boolean embeds() {
        return first == 0;
    }

    /** Whether logits go out. */
    public boolean yieldsLogits() {
        return end == all;
    }
}
