package org.espalier.node.service;

/** One node inside this JVM, on loopback: what a first {@code %model load} starts when no cluster is named. */
public final class EmbeddedNode implements AutoCloseable {

    private final NodeServer server;

    private EmbeddedNode(NodeServer server) {
        this.server = server;
    }

    /** Starts a node named {@code embedded} on any free port; it may read any model that its user may. */
    public static EmbeddedNode start() {
        return new EmbeddedNode(NodeServer.start(NodeOptions.loopback("embedded")));
    }

    /** host:port, for {@code Cluster.of}. */
    public String address() {
        return server.address();
    }

    @Override
    public void close() {
        server.close();
    }
}
