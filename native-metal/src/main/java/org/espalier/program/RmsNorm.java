package org.espalier.program;

import java.util.List;

/**
 * Root mean square norm, <a href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich 2019</a>: x / sqrt(mean(x²) + eps) * gain,
 * over each of {@code groups} equal pieces of the row by itself (1: the whole row; H: one norm a head).
 *
 * @param gain [1, width / groups], the same for each piece
 * @param out may be {@code in}
 */
public record RmsNorm(View in, Gain gain, float eps, int groups, View out) implements Op {

    /** What the normed values of a piece are multiplied by, column by column. */
    public sealed interface Gain {

        /** Nothing: the norm has no weight. */
        Gain ONE = new One();

        /** {@link #ONE}. */
        record One() implements Gain {}

        /** A weight [1, width / groups]. */
        record Stored(String weight) implements Gain {}

        /** 1 + a weight [1, width / groups], which is centred at zero, as <a href="https://arxiv.org/abs/2403.08295">Gemma</a> stores it. */
        record OnePlus(String weight) implements Gain {}
    }

    /** A gain that is stored as it is. */
    public RmsNorm(View in, String weight, float eps, int groups, View out) {
        this(in, new Gain.Stored(weight), eps, groups, out);
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
        if (gain instanceof Gain.Stored stored) {
            return List.of(stored.weight());
        }
        return gain instanceof Gain.OnePlus onePlus ? List.of(onePlus.weight()) : List.of();
    }

    @Override
    public void check(OpCheck check) {
        check.width("out", out, in.width());
        check.sameOrApart(in, out);
        check.that(groups > 0 && in.width() % groups == 0, "%s columns in %s groups", in.width(), groups);
        check.that(eps > 0, "eps %s, expected more than 0", eps);
        for (String weight : weights()) {
            check.vector(weight, in.width() / groups, 1);
        }
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.rmsNorm(this);
    }
}
