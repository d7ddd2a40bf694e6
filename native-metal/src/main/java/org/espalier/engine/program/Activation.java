package org.espalier.engine.program;

/** The gate of a gated MLP: h = activation(gate x) * (up x). */
public enum Activation {
    /** x sigmoid(x). */
    SILU
}
