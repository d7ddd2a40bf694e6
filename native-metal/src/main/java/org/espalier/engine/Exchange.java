package org.espalier.engine;

import java.nio.ByteBuffer;

/**
 * The sum over a group of nodes that share a layer. An engine calls it at each exchange op from the thread that runs the
 * step; in C it is a function pointer.
 */
@FunctionalInterface
public interface Exchange {

    /** For programs that share no layer: every partial sum is already whole. */
    Exchange ALONE = partial -> {};

    /**
     * Replaces this node's partial sums by the sum over the group, added in node order, so that every node gets the same bits.
     *
     * @param partial [T, D] in the precision of the run, little-endian
     */
    void sum(ByteBuffer partial);
}
