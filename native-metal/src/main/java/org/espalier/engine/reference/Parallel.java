package org.espalier.engine.reference;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.espalier.DaemonThreads;
import org.espalier.engine.Cancel;

/**
 * Splits a loop over threads, of which the calling one is the first. It waits for the others, so that work is never in flight between two ops. Every
 * index is computed by itself: results do not depend on the number of threads.
 */
final class Parallel implements AutoCloseable {

    /** Fewer rows of a matrix than this are not worth a task. */
    private static final int ROWS = 16;

    /** A long op checks its cancel flag each time it has done this many indices. */
    private static final int BETWEEN_LOOKS = 64;

    /** The body of a loop over indices {@code from} to {@code to} exclusive. */
    interface Body {
        void run(int from, int to);
    }

    private final int threads;
    private final ExecutorService pool;

    /** @param threads 0 for one per core */
    Parallel(int threads) {
        this.threads = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        this.pool = Executors.newFixedThreadPool(this.threads, new DaemonThreads("espalier-reference"));
    }

    /** Runs {@code body} over the rows of a matrix, 0 to {@code count}; every index once, in any order. */
    void forRange(int count, Cancel cancel, Body body) {
        forRange(count, ROWS, cancel, body);
    }

    /**
     * Runs {@code body} over 0 to {@code count}; every index once, in any order.
     *
     * @param smallest fewer indices than this are not worth a task
     */
    void forRange(int count, int smallest, Cancel cancel, Body body) {
        int pieces = (int) Math.min(threads, ((long) count + smallest - 1) / smallest);
        if (pieces <= 1) {
            inPieces(0, count, cancel, body);
            return;
        }
        List<Future<?>> others = new ArrayList<>();
        for (int piece = 1; piece < pieces; piece++) {
            int from = (int) ((long) count * piece / pieces);
            int to = (int) ((long) count * (piece + 1) / pieces);
            others.add(pool.submit(() -> inPieces(from, to, cancel, body)));
        }
        Throwable failure = null;
        try {
            inPieces(0, count / pieces, cancel, body);
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        boolean interrupted = false;
        for (int waiting = 0; waiting < others.size(); ) {
            try {
                others.get(waiting).get();
                waiting++;
            } catch (ExecutionException e) {
                failure = e.getCause();
                waiting++;
            } catch (InterruptedException e) {
                interrupted = true; // a step is stopped by its cancel flag; its pieces still write to the slots
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure; // a body throws nothing else
        }
    }

    private static void inPieces(int from, int to, Cancel cancel, Body body) {
        for (int at = from; at < to; at += BETWEEN_LOOKS) {
            cancel.check();
            body.run(at, Math.min(to, at + BETWEEN_LOOKS));
        }
    }

    @Override
    public void close() {
        pool.shutdown();
    }
}
