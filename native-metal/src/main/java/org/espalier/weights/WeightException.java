package org.espalier.weights;

import org.espalier.EspalierException;

/** A weight cannot be read: the message names it, and what was expected and found. */
public final class WeightException extends EspalierException {
    public WeightException(String message) {
        super(message);
    }

    public WeightException(String message, Throwable cause) {
        super(message, cause);
    }
}
