package org.espalier.cluster;

import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.Remedy;

/** The cluster could not do what was asked; the message names the node and says what to do next. */
public class ClusterException extends EspalierException {
    public ClusterException(String message) {
        super(message);
    }

    public ClusterException(String message, Throwable cause) {
        super(message, cause);
    }

    public ClusterException(String what, Remedy remedy) {
        super(what, remedy);
    }

    public ClusterException(String what, Optional<Remedy> remedy, Throwable cause) {
        super(what, remedy, cause);
    }

    /** The same failure, saying also what became of something else. */
    ClusterException and(String more) {
        ClusterException both = new ClusterException(what() + "; " + more, remedy(), getCause());
        both.setStackTrace(getStackTrace());
        return both;
    }
}
