package org.espalier.cluster;

/** A generation under way; {@link #cancel} may be called from any thread, the rest too. */
public interface RunningGeneration {

    /** Ends the work on every node; harmless when it has finished. */
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
