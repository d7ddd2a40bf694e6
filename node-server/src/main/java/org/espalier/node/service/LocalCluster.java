package org.espalier.node.service;

import java.util.List;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.NodeStarter;
import org.espalier.engine.library.Recording;

/** Clusters of this machine alone, whose nodes end when the cluster is closed. They may read any model that their user may. */
public final class LocalCluster {

    private static final NodeStarter STARTER = new NodeStarter() {
        @Override
        public Started embedded() {
            return started(EmbeddedNode.start());
        }

        @Override
        public Started processes(int count) {
            LocalNodes nodes = LocalNodes.start(count);
            return new Started(nodes.addresses(), nodes);
        }
    };

    private LocalCluster() {}

    private static NodeStarter.Started started(EmbeddedNode node) {
        return new NodeStarter.Started(List.of(node.address()), node);
    }

    /**
     * Node processes on loopback.
     *
     * @throws org.espalier.EspalierException if one does not start; then no process is left
     */
    public static Cluster start(int nodes) {
        return Cluster.of(STARTER.processes(nodes), STARTER);
    }

    /** One node inside this JVM. */
    public static Cluster embedded() {
        return Cluster.of(STARTER.embedded(), STARTER);
    }

    /** The same, which records what its engine is told and answers; it can load one model. */
    public static Cluster recorded(Recording recording) {
        return Cluster.of(started(EmbeddedNode.recorded(recording)), STARTER);
    }

    /** Without nodes until some are needed; then one inside this JVM, unless others have been started or connected. */
    public static Cluster whenNeeded() {
        return Cluster.whenNeeded(STARTER);
    }
}
