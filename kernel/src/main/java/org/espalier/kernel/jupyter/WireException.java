package org.espalier.kernel.jupyter;

import java.util.Optional;

/** Frames that are not a message of this session: dropped and logged, or answered with an error where they were signed and say who asks. */
final class WireException extends Exception {

    private final transient Optional<Message> request;

    WireException(String message) {
        this(message, Optional.empty());
    }

    /** @param request what is known of it, without content */
    WireException(String message, Optional<Message> request) {
        super(message);
        this.request = request;
    }

    Optional<Message> request() {
        return request;
    }
}
