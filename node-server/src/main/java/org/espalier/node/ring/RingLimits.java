package org.espalier.node.ring;

import java.time.Duration;

/**
 * What the head of a ring lets its clients have.
 *
 * @param running generations that have sessions on the nodes; one client may have as many as are left for others
 * @param waiting generations that wait for one of these to end; shared in the same way
 * @param unreadBytes replies that a client may leave unread before its generation pauses
 * @param unreadTime how long a paused generation waits for its client
 */
public record RingLimits(int running, int waiting, long unreadBytes, Duration unreadTime) {

    /** The most generations that run at once in any ring. */
    static final int RUNNING = 512;

    public static final RingLimits DEFAULT = new RingLimits(256, 768, 1 << 20, Duration.ofSeconds(60));

    public RingLimits {
        if (running < 1 || running > RUNNING || waiting < 0) {
            throw new IllegalArgumentException(running + " running and " + waiting
                    + " waiting generations: expected 1 to " + RUNNING + " running ones");
        }
    }
}
