package org.espalier.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.Remedy;

/** Calls several nodes at once. */
final class Concurrently {

    private Concurrently() {}

    /** Runs a task on a thread that belongs to no caller, as do the threads that libraries make meanwhile. */
    static <T> T apart(Callable<T> task) {
        return all(List.of(task)).get(0);
    }

    /**
     * Runs all tasks, each on a thread of its own; the first failure, or an interrupt, cancels the others.
     *
     * @return the results in the order of the tasks
     * @throws ClusterException the first failure
     */
    static <T> List<T> all(List<Callable<T>> tasks) {
        if (tasks.isEmpty()) {
            return List.of();
        }
        ExecutorService threads = Executors.newFixedThreadPool(tasks.size(), new DaemonThreads("espalier-client"));
        try {
            CompletionService<T> done = new ExecutorCompletionService<>(threads);
            List<Future<T>> futures = tasks.stream().map(done::submit).toList();
            for (int i = 0; i < tasks.size(); i++) {
                done.take().get();
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof EspalierException known
                    ? known
                    : new ClusterException(String.valueOf(e.getCause().getMessage()), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClusterException("interrupted while waiting for the nodes", Remedy.LIST_NODES);
        } finally {
            threads.shutdownNow(); // interrupts blocking calls, which cancels them
        }
    }
}
