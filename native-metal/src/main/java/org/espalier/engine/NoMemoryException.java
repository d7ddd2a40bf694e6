package org.espalier.engine;

/** There is no memory left for a session's caches: there may be once others are closed. */
public final class NoMemoryException extends EngineException {
    public NoMemoryException(String message) {
        super(message);
    }
}
