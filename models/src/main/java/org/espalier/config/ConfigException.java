package org.espalier.config;

import org.espalier.EspalierException;

/** A config.json lacks a key or asks for a computation that is not supported; the message names the key and the value. */
public final class ConfigException extends EspalierException {
    public ConfigException(String message) {
        super(message);
    }

    public ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
