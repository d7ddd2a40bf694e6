package org.espalier.engine;

/** A step was stopped by its {@link Cancel}; every session of the step has its former length. */
public final class CancelledException extends EngineException {
    public CancelledException() {
        super("the step was cancelled");
    }
}
