package org.espalier.program;

import java.util.List;

/** out[T, D] = down (activation(gate x, up x)), x = in[T, D]. */
public record GatedMlp(View in, GatedUnit unit, View out) implements Op {

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
        return unit.weights();
    }

    @Override
    public void check(OpCheck check) {
        check.apart(in, out);
        check.unit(unit, in.width(), out.width(), 1);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.gatedMlp(this);
    }
}
