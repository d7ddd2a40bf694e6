package org.espalier.node.service;

import java.util.List;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.NodeStarter;
import org.espalier.cluster.NodeStarter.Started;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.library.Recording;
import org.espalier.node.shard.Engines;
import org.espalier.transport.Credentials;
import org.espalier.transport.Secret;

/** Clusters of this machine alone, whose nodes end when the cluster is closed. They may read any model that their user may. */
public final class LocalCluster {

    /**
     * A system property: {@code inside} has {@link #whenNeeded}'s node in this JVM, {@code apart} as a process of its own. Without it the node is apart
     * where an engine of native code is chosen by default, a failure of which would end this JVM and what it holds.
     */
    static final String EMBEDDED = "espalier.embedded";

    private static final Credentials SECRET = Credentials.of(Secret.ofThisProcess());

    private static final NodeStarter STARTER = new NodeStarter() {
        @Override
        public Started embedded() {
            return isApart() ? apart() : inside(EmbeddedNode.start());
        }

        /** When one of them is lost, that is said, and the model placed on the others: they are not started again unasked. */
        @Override
        public Started processes(int count) {
            LocalNodes nodes = LocalNodes.start(count);
            return new Started(nodes.addresses(), SECRET, () -> false, nodes);
        }
    };

    private static Started inside(EmbeddedNode node) {
        return new Started(List.of(node.address()), SECRET, () -> false, node);
    }

    private static Started apart() {
        LocalNodes node = LocalNodes.start(List.of(EmbeddedNode.NAME));
        return new Started(node.addresses(), SECRET, () -> !node.dead().isEmpty(), node);
    }

    /** Whether the node that is there when no other is named is a process of its own. */
    private static boolean isApart() {
        String where = System.getProperty(EMBEDDED, "");
        return switch (where) {
            case "inside" -> false;
            case "apart" -> true;
            case "" -> Engines.mayAbort();
            default -> throw new EspalierException("-D" + EMBEDDED + " is '" + where + "': choose inside or apart");
        };
    }

    private LocalCluster() {}

    /**
     * Node processes on loopback.
     *
     * @throws org.espalier.EspalierException if one does not start; then no process is left
     */
    public static Cluster start(int nodes) {
        return Cluster.of(STARTER.processes(nodes), STARTER);
    }

    /** Connected to nodes that this process started, and that outlive it. */
    static Cluster of(List<String> addresses) {
        return Cluster.of(new Started(addresses, SECRET, () -> false, () -> {}), STARTER);
    }

    /** One node inside this JVM. */
    public static Cluster embedded() {
        return embedded(EngineOptions.FLOAT32);
    }

    /** @param loads how it loads programs: threads and preparations; each load says the precision itself */
    public static Cluster embedded(EngineOptions loads) {
        return Cluster.of(inside(EmbeddedNode.start(loads)), STARTER);
    }

    /** The same, which records what its engine is told and answers; it can load one model. */
    public static Cluster recorded(Recording recording) {
        return Cluster.of(inside(EmbeddedNode.recorded(recording)), STARTER);
    }

    /** Without nodes until some are needed; then one, named {@code embedded}, unless others have been started or connected. */
    public static Cluster whenNeeded() {
        return Cluster.whenNeeded(STARTER);
    }
}
