package org.espalier.engine;

/** The device of an engine is gone (reset, out of memory, a poisoned stream): the program has to be loaded again before it runs. */
public final class DeviceLostException extends EngineException {
    public DeviceLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
