package org.espalier.engine;

import org.espalier.EspalierException;

/** An engine could not load or run a program; the message names the op or weight and what was expected and found. */
public class EngineException extends EspalierException {
    public EngineException(String message) {
        super(message);
    }

    public EngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
