package org.espalier.node.ring;

import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The thread of a node that sends heartbeats and looks for silence. It never computes, so a long step is not a dead node. */
public final class RingClock implements AutoCloseable {

    static final long TICK_MILLIS = 500;

    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "espalier-clock");
        thread.setDaemon(true);
        return thread;
    });

    /** Calls {@code tick} each 0.5 s until it answers false. */
    public void each(Supplier<Boolean> tick) {
        ScheduledFuture<?>[] self = new ScheduledFuture<?>[1];
        try {
            // With fixed delay a pause of this process makes one late tick, not a burst that would count as the others'
            // silence.
            self[0] = executor.scheduleWithFixedDelay(
                    () -> {
                        if (!tick.get()) {
                            self[0].cancel(false);
                        }
                    },
                    TICK_MILLIS,
                    TICK_MILLIS,
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            // the node ends
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
