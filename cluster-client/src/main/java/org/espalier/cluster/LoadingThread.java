package org.espalier.cluster;

import java.util.function.Supplier;

/** The thread that loads a model now, which whoever closes the cluster ends instead of waiting for it. */
final class LoadingThread {

    private Thread thread;
    private boolean ended;

    /**
     * Runs a load on the calling thread; one at a time.
     *
     * @throws ClusterException if it fails, or was ended
     */
    <T> T run(Supplier<T> load) {
        begin();
        try {
            return load.get();
        } catch (ClusterException e) {
            throw wasEnded()
                    ? new ClusterException("the model was not loaded: the cluster was closed meanwhile", e)
                    : e;
        } finally {
            end();
        }
    }

    private synchronized void begin() {
        thread = Thread.currentThread();
    }

    private synchronized boolean wasEnded() {
        return ended;
    }

    private synchronized void end() {
        thread = null;
        if (ended) {
            ended = false;
            Thread.interrupted(); // it was for the load
        }
    }

    /** Ends the load that runs, if any, by an interrupt; of another thread than the calling one. */
    synchronized void interrupt() {
        if (thread != null && thread != Thread.currentThread()) {
            ended = true;
            thread.interrupt();
        }
    }
}
