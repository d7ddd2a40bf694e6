package org.espalier.node.service;

import java.util.Locale;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;

/**
 * The memory that the deployments of a node have for KV caches, together. What one is promised when it is loaded is its own until it is freed, and promised
 * to no other.
 */
final class KvBudget {

    private final long most;
    private long promised;

    /** @param most bytes; 0 for no limit */
    KvBudget(long most) {
        this.most = most;
    }

    /**
     * Promises a deployment half of what is left, or room for one conversation where that is more.
     *
     * @param node for the refusal
     * @param conversation bytes of a planned one
     * @return bytes, above 0; 0 for no limit
     * @throws FailureException if nothing is left
     */
    synchronized long promise(String node, long conversation) {
        if (most == 0) {
            return 0;
        }
        long left = most - promised;
        if (left == 0) {
            throw new Failure(
                            node,
                            Failure.Kind.OUT_OF_MEMORY,
                            String.format(
                                    Locale.ROOT,
                                    "node %s has promised all of its %.1f GB for KV caches to other deployments",
                                    node,
                                    most / 1e9))
                    .with(Remedy.SPLIT_OVER_MORE_NODES)
                    .exception();
        }
        long mine = Math.min(left, Math.max((left + 1) / 2, conversation));
        promised += mine;
        return mine;
    }

    synchronized void giveBack(long bytes) {
        promised -= bytes;
    }
}
