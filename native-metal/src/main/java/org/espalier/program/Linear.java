package org.espalier.program;

import java.util.List;

/** out[T, rows] = in[T, columns] Wᵀ + bias. */
public record Linear(View in, Projection projection, View out) implements Op {

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
        return projection.weights();
    }

    @Override
    public void check(OpCheck check) {
        check.apart(in, out);
        check.projection(projection, out.width(), in.width(), 1);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.linear(this);
    }
}
