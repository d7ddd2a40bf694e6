package org.espalier.program;

/** How a gated MLP joins gate and up, column by column: h = activation(gate, up). */
public sealed interface Activation {

    /** h = gate sigmoid(gate) * up, <a href="https://arxiv.org/abs/2002.05202">SwiGLU</a>. */
    Activation SILU = new Silu();

    /**
     * h = gelu(gate) * up, <a href="https://arxiv.org/abs/2002.05202">GEGLU</a>, with <a href="https://arxiv.org/abs/1606.08415">gelu</a>'s
     * approximation by a hyperbolic tangent: g / 2 * (1 + tanh(sqrt(2 / pi) (g + 0.044715 g³))).
     */
    Activation GELU = new Gelu();

    /** {@link #SILU}. */
    record Silu() implements Activation {}

    /** {@link #GELU}. */
    record Gelu() implements Activation {}

    /**
     * gpt-oss's: with g = min(gate, limit) and u = up held within -limit and limit, h = g sigmoid(alpha g) * (u + 1).
     *
     * @param alpha steepness of the sigmoid
     */
    record ClampedSwiglu(float alpha, float limit) implements Activation {}
}
