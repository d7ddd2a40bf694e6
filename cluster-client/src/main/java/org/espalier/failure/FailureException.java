package org.espalier.failure;

import org.espalier.EspalierException;

/** A failure on its way through Java to the edge of its node, where it becomes the status of a call. */
public final class FailureException extends EspalierException {

    private final Failure failure;

    public FailureException(Failure failure) {
        super(failure.message(), failure.remedy(), null);
        this.failure = failure;
    }

    public Failure failure() {
        return failure;
    }
}
