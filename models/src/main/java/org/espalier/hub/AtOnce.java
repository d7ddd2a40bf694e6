package org.espalier.hub;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.espalier.DaemonThreads;

/** Runs downloads, a few at a time; the first failure or an interrupt interrupts the others. */
final class AtOnce {

    private static final int THREADS = 4;

    private AtOnce() {}

    /**
     * Returns when all have ended, so that whoever tries again does not meet files still open.
     *
     * @throws IOException if a file could not be written
     */
    static void run(List<Callable<Void>> downloads, HubReference reference) throws IOException, InterruptedException {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, new DaemonThreads("espalier-hub"));
        CompletionService<Void> running = new ExecutorCompletionService<>(threads);
        try {
            downloads.forEach(running::submit);
            for (int i = 0; i < downloads.size(); i++) {
                running.take().get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof HubException hub) {
                throw hub;
            }
            if (e.getCause() instanceof IOException disk) {
                throw disk;
            }
            throw new HubException(
                    "cannot fetch " + reference + ": " + e.getCause().getMessage(), e.getCause());
        } finally {
            threads.shutdownNow();
            boolean interrupted = Thread.interrupted();
            threads.awaitTermination(5, TimeUnit.SECONDS);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
