package org.espalier.engine;

/** The arithmetic of a run. Weights are the checkpoint's in both. */
public enum Precision {
    /** Float activations, float partial sums, float on the wire, on every engine: equality is tested with it. */
    FLOAT32,
    /** What the engine does best, for instance bf16 activations, also on the wire. */
    FAST
}
