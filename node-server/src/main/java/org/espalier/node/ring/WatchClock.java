package org.espalier.node.ring;

import java.util.concurrent.TimeUnit;

/**
 * The time that the head's watch counts. Ticks come each 0.5 s: what is longer is a pause of this process. While an engine is busy with another
 * deployment, which that node watches itself, time hardly passes, so that the watch still has an end.
 */
final class WatchClock {

    private static final long LONGEST_TICK = TimeUnit.SECONDS.toNanos(1);
    private static final int SLOWER = 100;

    private long last;
    private long now;

    WatchClock(long nanos) {
        last = nanos;
    }

    /** @param behind whether an engine of the ring is busy with another deployment */
    void tick(long nanos, boolean behind) {
        long passed = Math.min(nanos - last, LONGEST_TICK);
        last = nanos;
        now += behind ? passed / SLOWER : passed;
    }

    /** In nanoseconds. */
    long now() {
        return now;
    }
}
