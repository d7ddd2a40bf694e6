package org.espalier.cluster;

import org.espalier.failure.Failure;

/** A node could not do what was asked: it said so, or does not answer. */
public class NodeException extends ClusterException {

    private final Failure failure;

    /** @param cause of this side, may be null */
    public NodeException(Failure failure, Throwable cause) {
        super(failure.message(), failure.remedy(), cause);
        this.failure = failure;
    }

    /** The exception for a failure; {@link NodeLostException} if the node is lost. */
    static NodeException of(Failure failure, Throwable cause) {
        return failure.kind() == Failure.Kind.NODE_LOST
                ? new NodeLostException(failure, cause)
                : new NodeException(failure, cause);
    }

    /** Name of the node that failed, refused or is lost; its address where it has not said its name yet. */
    public String node() {
        return failure.node();
    }

    /** What happened, for callers that handle it. */
    public Failure.Kind kind() {
        return failure.kind();
    }

    @Override
    final NodeException and(String more) {
        Failure both = new Failure(failure.node(), failure.kind(), failure.message() + "; " + more, failure.remedy());
        return of(both, getCause());
    }
}
