package org.espalier.program;

import java.util.List;

/**
 * Picks the R rows of the step whose logits are wanted: out[R, V] = in[R, D] Wᵀ. Nothing follows it but a
 * gather of the logits.
 *
 * @param in [T, D]
 * @param weight [V, D], or this node's rows of it
 * @param cap every logit x becomes cap tanh(x / cap), as in <a href="https://arxiv.org/abs/2408.00118">Gemma 2</a>; 0: as it is
 * @param out this node's columns of {@link Program#logits}
 */
public record Logits(View in, String weight, float cap, View out) implements Op {

    /** Without a cap. */
    public Logits(View in, String weight, View out) {
        this(in, weight, 0, out);
    }

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
        check.that(cap >= 0 && Float.isFinite(cap), "caps logits at %s, expected 0 or more", cap);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.logits(this);
    }
}
