package org.espalier.failure;

import org.espalier.EspalierException;

/** A failure on its way through Java to the edge of its node, where it becomes the status of a call. */
public final class FailureException extends EspalierException {

    private final Failure failure;

    /** @param cause may be null */
    FailureException(Failure failure, Throwable cause) {
        super(failure.message(), failure.remedy(), cause);
        this.failure = failure;
    }

    public Failure failure() {
        return failure;
    }
}
