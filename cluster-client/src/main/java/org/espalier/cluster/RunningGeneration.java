package org.espalier.cluster;

/** A generation under way; all methods may be called from any thread. */
public interface RunningGeneration {

    /** Ends the work on every node; harmless if it has finished. */
    void cancel();

    /**
     * Waits for the end. An interrupt of the waiting thread cancels the generation.
     *
     * @throws GenerationCancelledException if it was cancelled
     * @throws NodeLostException if a node of the ring was lost
     * @throws ClusterException if it failed otherwise
     */
    Generation await();
}
