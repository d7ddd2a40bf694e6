package org.espalier.kernel.jupyter;

/** Frames that are not a message of this session: logged and dropped. */
final class WireException extends Exception {
    WireException(String message) {
        super(message);
    }
}
