package org.espalier.node.ring.agent;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.espalier.DaemonThreads;
import org.espalier.node.ring.EngineQueue;

/** The thread that waits for the engine, which computes on a thread of its own. */
final class StepThread implements EngineQueue.Engine, AutoCloseable {

    private static final int ATTEMPTS = 100;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final ExecutorService executor = Executors.newSingleThreadExecutor(new DaemonThreads("espalier-steps"));
    private final Consumer<Throwable> executed;

    /** @param executed called after each work, on this thread, with what it has thrown or null */
    StepThread(Consumer<Throwable> executed) {
        this.executed = executed;
    }

    @Override
    public void execute(EngineQueue.Work work) {
        try {
            executor.execute(() -> {
                Throwable thrown = null;
                try {
                    work.run();
                } catch (Throwable e) {
                    thrown = e;
                }
                report(thrown);
            });
        } catch (RejectedExecutionException closed) {
            // the node is closing, and with it every program
        }
    }

    /** Whoever waits for the engine hears of it, also where there is no memory to say it with at the moment. */
    private void report(Throwable thrown) {
        for (int attempt = 1; ; attempt++) {
            try {
                executed.accept(thrown);
                return;
            } catch (OutOfMemoryError e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
