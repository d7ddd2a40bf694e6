package org.espalier.placement;

import org.espalier.EspalierException;
import org.espalier.Remedy;

/** A placement does not cover the model, or the nodes cannot hold it; the message names the layer or node. */
public final class PlacementException extends EspalierException {
    public PlacementException(String message) {
        super(message);
    }

    public PlacementException(String what, Remedy remedy) {
        super(what, remedy);
    }

    public PlacementException(String message, Throwable cause) {
        super(message, cause);
    }
}
