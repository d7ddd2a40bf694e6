package org.espalier.model;

import org.espalier.EspalierException;
import org.espalier.Remedy;

/** A path or name leads to no model, or to one outside the folders that may be read; the message says where it was looked for. */
public final class ModelNotFoundException extends EspalierException {
    public ModelNotFoundException(String message) {
        super(message);
    }

    public ModelNotFoundException(String what, Remedy remedy) {
        super(what, remedy);
    }

    public ModelNotFoundException(String message, Throwable cause) {
        super(message, cause);
    }
}
