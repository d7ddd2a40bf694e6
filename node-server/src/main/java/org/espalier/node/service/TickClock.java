package org.espalier.node.service;

import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.espalier.DaemonThreads;

/** The thread of a node that notices clients which have fallen silent. It never computes. */
public final class TickClock implements AutoCloseable {

    static final long TICK_MILLIS = 500;

    private final ScheduledExecutorService executor =
            Executors.newSingleThreadScheduledExecutor(new DaemonThreads("espalier-clock"));

    /** Calls {@code tick} every 0.5 s until it returns false. */
    public void each(Supplier<Boolean> tick) {
        ScheduledFuture<?>[] self = new ScheduledFuture<?>[1];
        try {
            // With a fixed delay a pause of this process is one late tick, not a burst that looks like others' silence.
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
            // the node is closing
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
