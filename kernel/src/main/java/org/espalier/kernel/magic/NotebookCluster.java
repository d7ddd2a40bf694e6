package org.espalier.kernel.magic;

import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.node.service.LocalCluster;

/** The one cluster of a notebook. Nodes that ran before it are left as they are when another takes its place, its own ones end. */
public final class NotebookCluster implements AutoCloseable {

    private Optional<Cluster> cluster = Optional.empty();

    /** What is connected, if anything. */
    public synchronized Optional<Cluster> current() {
        return cluster;
    }

    /** Starts {@code count} node processes on this machine and connects to them. */
    public synchronized Cluster local(int count) {
        return adopt(LocalCluster.start(count));
    }

    /** Connects to nodes that are already running. */
    public synchronized Cluster connect(List<String> addresses) {
        return adopt(Cluster.connect(addresses));
    }

    /** The connected cluster; without one, a node starts inside this JVM. */
    public synchronized Cluster orEmbedded() {
        return cluster.isPresent() ? cluster.get() : adopt(LocalCluster.embedded());
    }

    /** The new one is there before the old one goes: a slip in an address costs nothing. */
    private Cluster adopt(Cluster connected) {
        close();
        cluster = Optional.of(connected);
        return connected;
    }

    /** The connected cluster with a model on it. */
    public synchronized Cluster withModel() {
        if (cluster.flatMap(Cluster::deployment).isEmpty()) {
            throw new EspalierException("no model is loaded", Remedy.LOAD);
        }
        return cluster.get();
    }

    /** What is loaded, if anything. */
    public synchronized Optional<Deployment> deployment() {
        return cluster.flatMap(Cluster::deployment);
    }

    /** Disconnects and ends the nodes that this notebook started. */
    @Override
    public synchronized void close() {
        Optional<Cluster> old = cluster;
        cluster = Optional.empty();
        old.ifPresent(Cluster::close);
    }
}
