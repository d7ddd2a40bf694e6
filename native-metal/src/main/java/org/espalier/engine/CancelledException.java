package org.espalier.engine;

/** A step or a load was stopped by its {@link Cancel}; a step leaves its sessions unchanged, a load leaves nothing loaded. */
public final class CancelledException extends EngineException {
    public CancelledException() {
        super("it was cancelled");
    }
}
