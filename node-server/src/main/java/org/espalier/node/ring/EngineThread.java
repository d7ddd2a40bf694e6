package org.espalier.node.ring;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread of a node that runs programs, whatever deployment they belong to: devices bind their streams to a thread. */
public final class EngineThread implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(EngineThread.class);

    private final ExecutorService executor = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "espalier-engine");
        thread.setDaemon(true);
        return thread;
    });

    /** Enqueues work that must not throw; dropped once the node closes. */
    void execute(Runnable work) {
        try {
            executor.execute(work);
        } catch (RejectedExecutionException closed) {
            // the node ends, and with it every program
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

    /** Frees a shard on the thread that owns it; completes when that is done. */
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
