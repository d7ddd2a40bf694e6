package org.espalier.hub;

import org.espalier.EspalierException;

/** A model cannot be fetched. The message says why and what to do. */
public final class HubException extends EspalierException {
    public HubException(String message) {
        super(message);
    }

    public HubException(String message, Throwable cause) {
        super(message, cause);
    }
}
