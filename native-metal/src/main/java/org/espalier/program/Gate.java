package org.espalier.program;

import java.util.List;

/**
 * x[T, width] *= function(gate): how much of an output a row lets through, column by column (<a
 * href="https://arxiv.org/abs/2505.06708">gated attention</a>, the output gate of <a href="https://arxiv.org/abs/2412.06464">Gated
 * DeltaNet</a>), or of the whole row by one number (the shared expert of Qwen2-MoE).
 *
 * @param gate [T, width] or [T, 1]
 */
public record Gate(View gate, Function function, View x) implements Op {

    /** What is made of the gate. */
    public enum Function {
        SIGMOID,
        /** g sigmoid(g). */
        SILU
    }

    @Override
    public List<View> reads() {
        return List.of(gate, x);
    }

    @Override
    public List<View> writes() {
        return List.of(x);
    }

    @Override
    public List<String> weights() {
        return List.of();
    }

    @Override
    public void check(OpCheck check) {
        check.that(
                gate.width() == 1 || gate.width() == x.width(),
                "gate has %s columns, expected 1 or %s",
                gate.width(),
                x.width());
        check.apart(gate, x);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.gate(this);
    }
}
