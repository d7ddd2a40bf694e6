package org.espalier.engine;

/** A step or a load was stopped by its {@link Cancel}; a step's sessions have their former lengths, of a load nothing stays. */
public final class CancelledException extends EngineException {
    public CancelledException() {
        super("it was cancelled");
    }
}
