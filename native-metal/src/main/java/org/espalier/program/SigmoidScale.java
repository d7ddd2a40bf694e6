package org.espalier.program;

import java.util.List;

/** x[T, width] *= sigmoid(gate[T, 1]): how much of a shared expert a row takes (Qwen2-MoE). */
public record SigmoidScale(View gate, View x) implements Op {

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
        check.width("gate", gate, 1);
        check.apart(gate, x);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.sigmoidScale(this);
    }
}
