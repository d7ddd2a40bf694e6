package org.espalier.engine.library;

import org.espalier.engine.CancelledException;
import org.espalier.engine.DeviceLostException;
import org.espalier.engine.EngineException;
import org.espalier.engine.NoMemoryException;

/** What a function returns, in the order of {@code enum es_status}. */
enum Status {
    OK,
    CANCELLED,
    FAILED,
    DEVICE_LOST,
    NO_MEMORY,
    EXCHANGE_BEGIN,
    EXCHANGE_AWAIT;

    private static final Status[] ALL = values();

    static Status of(int code) {
        if (code < 0 || code >= ALL.length) {
            throw new EngineException("the library answered with the unknown status " + code);
        }
        return ALL[code];
    }

    /** Whether a step goes on after an exchange. */
    boolean pauses() {
        return this == EXCHANGE_BEGIN || this == EXCHANGE_AWAIT;
    }

    /** @param text what the library says of a failure */
    EngineException failure(String text) {
        return switch (this) {
            case CANCELLED -> new CancelledException();
            case FAILED -> new EngineException(text);
            case NO_MEMORY -> new NoMemoryException(text);
            case DEVICE_LOST -> new DeviceLostException(text, null);
            case OK, EXCHANGE_BEGIN, EXCHANGE_AWAIT ->
                new EngineException("the library answered " + this + " where it cannot be");
        };
    }
}
