package org.espalier;

/**
 * Something a user can act on failed: the message is one clear sentence that says what, where, what was expected and found, and
 * what to do next. Shown without a stack trace.
 */
public class EspalierException extends RuntimeException {
    public EspalierException(String message) {
        super(message);
    }

    public EspalierException(String message, Throwable cause) {
        super(message, cause);
    }
}
