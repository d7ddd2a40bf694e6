package org.espalier.failure;

import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.Remedy;

/**
 * What failed, where, and what helps.
 *
 * @param node that failed, refused or is lost; empty if not known yet, see {@link #at}
 * @param message one sentence without advice, for people only: nothing is told apart by it
 * @param remedy what helps
 */
public record Failure(String node, Kind kind, String message, Optional<Remedy> remedy) {

    /** What a caller may have to tell apart. */
    public enum Kind {
        /** The node is gone or silent: what it held has to be placed anew. */
        NODE_LOST,
        /** The node violated the protocol: the ring is broken. */
        PROTOCOL,
        /** The deployment was unloaded or placed again, or was never there. */
        DEPLOYMENT_GONE,
        /** The request itself is wrong: it will never succeed. */
        INVALID,
        /** Not possible now, for instance because another client uses the deployment; nothing has changed. */
        REFUSED,
        /** A limit of the node is reached, and this would be one too many: it is possible again when something has ended. */
        EXHAUSTED,
        /** The shard could not be loaded; nothing of it stays loaded. */
        LOAD_FAILED,
        /** The node does not have enough memory. */
        OUT_OF_MEMORY,
        /** A step failed: its sessions are closed, the deployment goes on. */
        ENGINE_FAILED,
        /** Somebody ended it. */
        CANCELLED,
        /** No answer in time. */
        TIMED_OUT,
        /** A defect of the node, or of something between client and node. */
        INTERNAL
    }

    /** Causes that are followed: they may form a ring. */
    private static final int DEPTH = 20;

    public Failure(String node, Kind kind, String message) {
        this(node, kind, message, Optional.empty());
    }

    /** The failure for an error on a node; the node is not known yet. */
    public static Failure of(Throwable error, Kind kindOfKnown) {
        if (error instanceof FailureException known) {
            return known.failure();
        }
        if (error instanceof OutOfMemoryError) {
            return new Failure("", Kind.OUT_OF_MEMORY, "it does not have enough memory (" + error.getMessage() + ")")
                    .with(Remedy.SPLIT_OVER_MORE_NODES);
        }
        return error instanceof EspalierException known
                ? new Failure("", kindOfKnown, known.what(), known.remedy())
                : new Failure("", Kind.INTERNAL, words(error));
    }

    /** A defect, and what it came of: libraries hand on what they were thrown in exceptions of their own, which say less. */
    public static String words(Throwable error) {
        Throwable first = error;
        for (int i = 0; i < DEPTH && first.getCause() != null; i++) {
            first = first.getCause();
        }
        return first == error ? error.toString() : error + " (" + first + ")";
    }

    /**
     * This failure, on a given node unless it names one.
     *
     * @param where what comes before the message, for instance {@code node mini-3}
     */
    public Failure at(String place, String where) {
        return node.isEmpty() ? new Failure(place, kind, where + ": " + message, remedy) : this;
    }

    public Failure with(Remedy helps) {
        return new Failure(node, kind, message, Optional.of(helps));
    }

    /** To be thrown on this side of the wire. */
    public FailureException exception() {
        return exception(null);
    }

    /** @param cause for the log on this side; may be null */
    public FailureException exception(Throwable cause) {
        return new FailureException(this, cause);
    }
}
