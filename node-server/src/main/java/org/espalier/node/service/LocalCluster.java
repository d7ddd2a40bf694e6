package org.espalier.node.service;

import java.util.List;
import org.espalier.cluster.Cluster;

/** Clusters of this machine alone, whose nodes end when the cluster is closed. They read what their user may. */
public final class LocalCluster {

    private LocalCluster() {}

    /**
     * Node processes on loopback: what {@code %cluster local} does.
     *
     * @throws org.espalier.EspalierException if one does not come up; no process is left then
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
