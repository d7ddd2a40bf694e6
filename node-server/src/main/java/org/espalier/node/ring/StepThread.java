package org.espalier.node.ring;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.espalier.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The node's ordered queue of work, steps of all its deployments one after the other. An engine computes them on a thread of its own. */
public final class StepThread implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(StepThread.class);

    private final ExecutorService executor = Executors.newSingleThreadExecutor(new DaemonThreads("espalier-steps"));

    /** Enqueues work, which must not throw; once the node is closed, work is dropped. */
    void execute(Runnable work) {
        try {
            executor.execute(work);
        } catch (RejectedExecutionException closed) {
            // the node is closing, and with it every program
        }
    }

    /** Completes when everything enqueued before has run. */
    public CompletableFuture<Void> drained() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        try {
            executor.execute(() -> done.complete(null));
        } catch (RejectedExecutionException closed) {
            done.complete(null);
        }
        return done;
    }

    /** Frees a shard after all work enqueued before; completes when that is done. */
    public CompletableFuture<Void> free(StageShard shard) {
        execute(() -> {
            try {
                shard.close();
            } catch (Throwable e) {
                LOG.error("a shard could not be freed", e);
            }
        });
        return drained();
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
