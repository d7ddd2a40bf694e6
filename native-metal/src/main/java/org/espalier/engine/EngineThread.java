package org.espalier.engine;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import org.espalier.DaemonThreads;

/** The one thread on which an engine loads and runs programs. Any thread may call; calls run one after the other. */
public final class EngineThread implements AutoCloseable {

    private final String engine;
    private final ExecutorService thread;
    private volatile Thread running;

    /** @param engine its name, for errors and thread dumps */
    public EngineThread(String engine) {
        this.engine = engine;
        this.thread = Executors.newSingleThreadExecutor(work -> {
            Thread created = new DaemonThreads("espalier-engine-" + engine).newThread(work);
            running = created;
            return created;
        });
    }

    /**
     * Runs the work on this thread and waits for its end, even when interrupted: work on a device is stopped by its {@link Cancel}, and must not
     * keep writing after this returns. The interrupt flag is kept for the caller.
     *
     * @throws EngineException when the thread has ended, or with what the work threw where that is neither a RuntimeException nor an OutOfMemoryError
     */
    public <T> T call(Callable<T> work) {
        if (Thread.currentThread() == running) {
            return direct(work);
        }
        Future<T> result;
        try {
            result = thread.submit(work);
        } catch (RejectedExecutionException e) {
            throw new EngineException("the engine " + engine + " is closed", e);
        }
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return result.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    boolean isClosed() {
        return thread.isShutdown();
    }

    private <T> T direct(Callable<T> work) {
        try {
            return work.call();
        } catch (Throwable e) {
            throw failure(e);
        }
    }

    /** Whoever waits tells memory that has run out from other failures. */
    private RuntimeException failure(Throwable cause) {
        if (cause instanceof OutOfMemoryError memory) {
            throw memory;
        }
        if (cause instanceof RuntimeException known) {
            return known;
        }
        return new EngineException("the engine " + engine + " failed: " + cause, cause);
    }

    /** No more work is taken; what was begun ends first, then {@code last} runs. Nobody waits for that. */
    public void closeAfter(Runnable last) {
        try {
            thread.execute(last);
        } catch (RejectedExecutionException closed) {
            return;
        }
        thread.shutdown();
    }

    /** No more work is taken; what was begun ends first. */
    @Override
    public void close() {
        thread.shutdown();
    }
}
