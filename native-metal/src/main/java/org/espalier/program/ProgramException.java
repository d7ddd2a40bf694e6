package org.espalier.program;

import org.espalier.EspalierException;

/** A program does not make sense: the message names the op, and what was expected and found. */
public final class ProgramException extends EspalierException {
    public ProgramException(String message) {
        super(message);
    }
}
