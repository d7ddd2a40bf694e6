package org.espalier.engine;

/** An engine could not load or run a program; the message names the op or weight and what was expected and found. */
public class EngineException extends RuntimeException {
    public EngineException(String message) {
        super(message);
    }

    public EngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
