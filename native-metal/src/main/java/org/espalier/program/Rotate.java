package org.espalier.program;

import java.util.List;

/**
 * Rotates {@code rope.dimensions()} columns of each of {@code heads} equal pieces of x, in place, by the row's position.
 *
 * @param from the first of these columns in each piece; not 0 where a head has columns without position before them
 */
public record Rotate(View x, int heads, int from, Rope rope) implements Op {

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
        return List.of();
    }

    @Override
    public void check(OpCheck check) {
        check.that(heads > 0 && x.width() % heads == 0, "%s columns for %s heads", x.width(), heads);
        int width = x.width() / heads;
        long end = (long) from + rope.dimensions();
        check.that(from >= 0 && end <= width, "rotates columns %s to %s of heads %s wide", from, end, width);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.rotate(this);
    }
}
