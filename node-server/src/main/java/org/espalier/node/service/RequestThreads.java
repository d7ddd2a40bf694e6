package org.espalier.node.service;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.espalier.DaemonThreads;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;

/**
 * The threads that begin requests. A connection has a share of them: some requests wait, for a load or for another node, and those of one client
 * must not keep the others' from being begun.
 */
final class RequestThreads implements AutoCloseable {

    private final Limits limits;
    private final ThreadPoolExecutor threads;

    /** How many requests of each connection are being begun. */
    private final ConcurrentMap<String, Integer> begun = new ConcurrentHashMap<>();

    RequestThreads(Limits limits) {
        this.limits = limits;
        this.threads = new ThreadPoolExecutor(
                0,
                limits.of(Limit.REQUESTS),
                60,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                new DaemonThreads("espalier-request"));
    }

    /**
     * Begins a request of a connection.
     *
     * @throws FailureException if as many are begun already, or the node ends
     * @throws OutOfMemoryError if no thread can be started
     */
    void execute(String connection, Runnable request) {
        boolean taken = false;
        try {
            int share = limits.of(Limit.CONNECTION_REQUESTS);
            if (begun.merge(connection, 1, Integer::sum) > share) {
                throw exhausted("it begins " + share + " requests of this connection already");
            }
            threads.execute(() -> {
                try {
                    request.run();
                } finally {
                    ended(connection);
                }
            });
            taken = true;
        } catch (RejectedExecutionException e) {
            throw threads.isShutdown()
                    ? new Failure("", Failure.Kind.NODE_LOST, "it was shut down")
                            .with(Remedy.LOAD_AGAIN)
                            .exception()
                    : exhausted("it begins " + limits.of(Limit.REQUESTS) + " requests already");
        } finally {
            if (!taken) {
                ended(connection);
            }
        }
    }

    private void ended(String connection) {
        begun.computeIfPresent(connection, (key, count) -> count == 1 ? null : count - 1);
    }

    private static FailureException exhausted(String why) {
        return new Failure("", Failure.Kind.EXHAUSTED, why + ": try again").exception();
    }

    /** Nothing is begun from now on. */
    void refuse() {
        threads.shutdown();
    }

    /** Ends also what was begun. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
