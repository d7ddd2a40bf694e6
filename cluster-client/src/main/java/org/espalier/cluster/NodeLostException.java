package org.espalier.cluster;

import org.espalier.failure.Failure;

/** {@link #node} no longer answers; the deployment has to be loaded again on the nodes that are left. */
public final class NodeLostException extends NodeException {

    /** @param cause of this side, may be null */
    public NodeLostException(Failure failure, Throwable cause) {
        super(failure, cause);
    }
}
