package org.espalier.cluster;

/** A node of the ring does not answer any more; the deployment has to be loaded again on the nodes that are left. */
public final class NodeLostException extends ClusterException {
    public NodeLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
