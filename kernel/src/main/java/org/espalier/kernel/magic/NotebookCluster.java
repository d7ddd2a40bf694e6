package org.espalier.kernel.magic;

import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.node.service.LocalCluster;

/** The one cluster of a notebook, the same that its code knows as {@code cluster}. */
public final class NotebookCluster implements AutoCloseable {

    /** Nothing is made at a notebook's start, or only to be closed at its end. */
    private static volatile boolean made;

    static Cluster make() {
        made = true;
        return LocalCluster.whenNeeded();
    }

    /** Always the same object, whatever nodes it has. */
    public Cluster get() {
        return NotebookVariables.cluster;
    }

    /** The cluster, with a model on it. */
    public Cluster withModel() {
        if (get().deployment().isEmpty()) {
            throw new EspalierException("no model is loaded", Remedy.LOAD);
        }
        return get();
    }

    /** What is loaded, if anything. */
    public Optional<Deployment> deployment() {
        return get().deployment();
    }

    /** Disconnects and ends the nodes that this notebook started. */
    @Override
    public void close() {
        if (made) {
            get().close();
        }
    }
}
