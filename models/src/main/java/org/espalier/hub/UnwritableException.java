package org.espalier.hub;

import java.io.IOException;

/** The disk does not take what has come: trying again does not help. */
final class UnwritableException extends IOException {
    UnwritableException(IOException cause) {
        super(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage(), cause);
    }
}
