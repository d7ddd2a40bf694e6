package org.espalier.node.ring.agent;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.espalier.DaemonThreads;
import org.espalier.node.ring.EngineQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread that waits for the engine, which computes on a thread of its own. */
final class StepThread implements EngineQueue.Engine, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(StepThread.class);

    private final ExecutorService executor = Executors.newSingleThreadExecutor(new DaemonThreads("espalier-steps"));
    private final Runnable executed;

    /** @param executed called after each work, on this thread */
    StepThread(Runnable executed) {
        this.executed = executed;
    }

    @Override
    public void execute(EngineQueue.Work work) {
        try {
            executor.execute(() -> {
                try {
                    work.run();
                } catch (Throwable e) {
                    LOG.error("work for the engine failed by a defect", e);
                } finally {
                    executed.run();
                }
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
