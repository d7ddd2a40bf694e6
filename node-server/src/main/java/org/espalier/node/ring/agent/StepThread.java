package org.espalier.node.ring.agent;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.espalier.DaemonThreads;
import org.espalier.node.ring.EngineQueue;

/** The thread that waits for the engine, which computes on a thread of its own. */
final class StepThread implements EngineQueue.Engine, AutoCloseable {

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
                executed.accept(thrown);
            });
        } catch (RejectedExecutionException closed) {
            // the node is closing, and with it every program
        }
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
