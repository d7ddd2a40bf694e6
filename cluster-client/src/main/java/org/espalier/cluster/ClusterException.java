package org.espalier.cluster;

import org.espalier.EspalierException;

/** A cluster could not do what was asked; the message names the node and says what to do next. */
public class ClusterException extends EspalierException {
    public ClusterException(String message) {
        super(message);
    }

    public ClusterException(String message, Throwable cause) {
        super(message, cause);
    }
}
