package org.espalier.node.service;

import java.util.List;
import org.espalier.cluster.Cluster;

/** Clusters of this machine alone, whose nodes end when the cluster is closed. They may read any model that their user may. */
public final class LocalCluster {

    private LocalCluster() {}

    /**
     * Node processes on loopback: what {@code %cluster local} does.
     *
     * @throws org.espalier.EspalierException if one does not start; then no process is left
     */
    public static Cluster start(int nodes) {
        LocalNodes processes = LocalNodes.start(nodes);
        return Cluster.connect(processes.addresses(), processes);
    }

    /** One node inside this JVM: what {@code %model load} does where no cluster is connected. */
    public static Cluster embedded() {
        EmbeddedNode node = EmbeddedNode.start();
        return Cluster.connect(List.of(node.address()), node);
    }
}
