package org.espalier.node.service;

import java.time.Duration;
import java.util.Map;
import org.espalier.EspalierException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.node.ring.RingLimits;

/**
 * The limits of a node.
 *
 * @param set those that are not as usual
 */
public record Limits(Map<Limit, Integer> set) {

    /** @throws EspalierException if one is below 1 */
    public Limits {
        set = Map.copyOf(set);
        set.forEach((limit, most) -> {
            if (most < 1) {
                throw new EspalierException("the limit " + limit + " is " + most + ": choose 1 or more");
            }
        });
    }

    public static Limits usual() {
        return new Limits(Map.of());
    }

    /** Those of the rings that this node is the head of. */
    RingLimits ofRings() {
        try {
            return new RingLimits(
                    of(Limit.GENERATIONS),
                    of(Limit.WAITING),
                    of(Limit.UNREAD_BYTES),
                    Duration.ofSeconds(of(Limit.UNREAD_SECONDS)));
        } catch (IllegalArgumentException e) {
            throw new EspalierException(e.getMessage(), e);
        }
    }

    public int of(Limit limit) {
        return set.getOrDefault(limit, limit.usual());
    }

    /**
     * Refuses what is beyond a limit.
     *
     * @param node this one
     * @param what asks for that many, for the message: {@code the prompt has}
     * @throws FailureException of the kind {@code EXHAUSTED}
     */
    void check(Limit limit, long many, String node, String what) {
        if (many > of(limit)) {
            throw new Failure(
                            node,
                            Failure.Kind.EXHAUSTED,
                            what + " " + many + " " + limit + ", node " + node + " takes at most " + of(limit))
                    .exception();
        }
    }
}
