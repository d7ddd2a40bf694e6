package org.espalier.checkpoint;

import org.espalier.EspalierException;

/** A model file is missing, truncated or malformed; the message names the file and the tensor or key. */
public final class CheckpointException extends EspalierException {
    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
