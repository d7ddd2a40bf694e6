package org.espalier.program;

import java.util.List;

/** out[T, width] = a + b; out may be a or b. */
public record Add(View a, View b, View out) implements Op {

    @Override
    public List<View> reads() {
        return List.of(a, b);
    }

    @Override
    public List<View> writes() {
        return List.of(out);
    }

    @Override
    public List<String> weights() {
        return List.of();
    }

    @Override
    public void check(OpCheck check) {
        check.width("b", b, a.width());
        check.width("out", out, a.width());
        check.sameOrApart(a, out);
        check.sameOrApart(b, out);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.add(this);
    }
}
