package org.espalier.kernel.magic;

import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.node.service.EmbeddedNode;
import org.espalier.node.service.LocalNodes;

/**
 * The one cluster of a notebook, and the nodes that the notebook itself started for it: processes, or one node in this JVM. Nodes that ran
 * before are left as they are when another cluster takes their place.
 */
public final class NotebookCluster implements AutoCloseable {

    private Optional<Cluster> cluster = Optional.empty();
    private AutoCloseable ownNodes = () -> {};

    /** What is connected, if anything. */
    public synchronized Optional<Cluster> current() {
        return cluster;
    }

    /** Starts {@code count} node processes on this machine and connects to them. */
    public synchronized Cluster local(int count) {
        LocalNodes nodes = LocalNodes.start(count); // before the old ones go: a typing error costs nothing
        close();
        return adopt(nodes, nodes.addresses());
    }

    /** Connects to nodes that are already running. */
    public synchronized Cluster connect(List<String> addresses) {
        Cluster connected = Cluster.connect(addresses);
        close();
        cluster = Optional.of(connected);
        return connected;
    }

    /** The connected cluster; without one, a node starts inside this JVM. */
    public synchronized Cluster orEmbedded() {
        if (cluster.isEmpty()) {
            EmbeddedNode node = EmbeddedNode.start();
            adopt(node, List.of(node.address()));
        }
        return cluster.get();
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

    private Cluster adopt(AutoCloseable nodes, List<String> addresses) {
        ownNodes = nodes;
        try {
            cluster = Optional.of(Cluster.connect(addresses));
            return cluster.get();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Disconnects and ends the nodes that this notebook started. */
    @Override
    public synchronized void close() {
        cluster.ifPresent(Cluster::close);
        cluster = Optional.empty();
        AutoCloseable nodes = ownNodes;
        ownNodes = () -> {};
        try {
            nodes.close();
        } catch (Exception e) {
            throw new EspalierException("the notebook's own nodes did not stop: " + e.getMessage(), e);
        }
    }
}
