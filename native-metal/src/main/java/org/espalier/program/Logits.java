package org.espalier.program;

import java.util.List;

/**
 * Picks the R rows of the step whose logits are wanted: out[R, V] = in[R, D] Wᵀ. Nothing follows it but a
 * gather of the logits.
 *
 * @param in [T, D]
 * @param weight [V, D], or this node's rows of it
 * @param out this node's columns of {@link Program#logits}
 */
public record Logits(View in, String weight, View out) implements Op {

    @Override
    public List<View> reads() {
        return List.of(in);
    }

    @Override
    public List<View> writes() {
        return List.of(out);
    }

    @Override
    public List<String> weights() {
        return List.of(weight);
    }

    @Override
    public void check(OpCheck check) {
        check.matrices(weight, out.width(), in.width(), 1);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.logits(this);
    }
}
