package org.espalier.engine;

/** The device of an engine is gone (reset, out of memory, a poisoned stream): the program is loaded anew before it runs again. */
public final class DeviceLostException extends EngineException {
    public DeviceLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
