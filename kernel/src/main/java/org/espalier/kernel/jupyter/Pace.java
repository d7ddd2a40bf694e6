package org.espalier.kernel.jupyter;

/**
 * How fast one client may send: as fast as it likes for a while, then slower. Each request makes two status messages that all clients have
 * to read; a client written in Python reads a few thousand a second.
 */
final class Pace {

    /** 200 a second. */
    private static final long BETWEEN_NANOS = 5_000_000;

    /** After a pause so many may come at once: a notebook of 200 cells that is run as a whole. */
    private static final long AT_ONCE_NANOS = 200 * BETWEEN_NANOS;

    private long due = System.nanoTime() - AT_ONCE_NANOS;

    /** To be called for each message; waits where they come too fast. */
    void keep() {
        long now = System.nanoTime();
        due = Math.max(due, now - AT_ONCE_NANOS) + BETWEEN_NANOS;
        if (due > now) {
            try {
                Thread.sleep((due - now) / 1_000_000 + 1);
            } catch (InterruptedException e) {
                // by code that interrupts every thread it finds
            }
        }
    }
}
