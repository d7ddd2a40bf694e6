package org.espalier.program;

import java.util.List;

/** x[T, width] *= factor, in place. */
public record Scale(View x, Factor factor) implements Op {

    /** One number for all columns. */
    public sealed interface Factor {

        /** A part of the architecture, for instance sqrt(D) of an <a href="https://arxiv.org/abs/1706.03762">embedding</a> (section 3.4). */
        record Constant(float value) implements Factor {}

        /** A weight [1, 1], as each layer of Gemma 4 has one for what it yields. */
        record Stored(String weight) implements Factor {}
    }

    /** By a constant. */
    public Scale(View x, float factor) {
        this(x, new Factor.Constant(factor));
    }

    @Override
    public List<View> reads() {
        return List.of(x);
    }

    @Override
    public List<View> writes() {
        return List.of(x);
    }

    @Override
    public List<String> weights() {
        return factor instanceof Factor.Stored stored ? List.of(stored.weight()) : List.of();
    }

    @Override
    public void check(OpCheck check) {
        for (String weight : weights()) {
            check.vector(weight, 1, 1);
        }
        if (factor instanceof Factor.Constant constant) {
            check.that(Float.isFinite(constant.value()), "scales by %s", constant.value());
        }
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.scale(this);
    }
}
