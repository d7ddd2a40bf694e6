package org.espalier.node.ring;

import org.espalier.program.Plan;

/**
 * How many rows a step has at most; a longer prompt takes several, between which other sessions decode. The more there are, the more rows meet in each expert
 * that is read. A ring's steps have as many as all of its nodes have room for, which each says as it joins.
 */
public final class StepRows {

    /** That any step has: limits of what comes from other nodes follow from it. */
    public static final int MOST = 512;

    /** That every node takes, and one that does not say how many. */
    public static final int LEAST = 256;

    /** Of free memory, what a step may take: attention's scores, caches of further sessions and the system want some too. */
    private static final int SHARE = 4;

    private StepRows() {}

    /**
     * {@link #MOST} where a quarter of the free memory holds what such a step keeps, else {@link #LEAST}.
     *
     * @param plan of a node's program
     * @param freeBytes beside its weights and the cache of one conversation
     */
    public static int within(Plan plan, long freeBytes) {
        return plan.stepValuesPerRow() * Float.BYTES * MOST <= freeBytes / SHARE ? MOST : LEAST;
    }

    /**
     * Of two nodes.
     *
     * @param said by the other one for itself and those before it; 0 by one that knows of no such number
     */
    static int both(int said, int own) {
        return Math.min(said == 0 ? LEAST : said, own);
    }
}
