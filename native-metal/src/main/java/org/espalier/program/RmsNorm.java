package org.espalier.program;

import java.util.List;

/**
 * Root mean square norm, <a href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich 2019</a>: x / sqrt(mean(x²) + eps) * weight,
 * over each of {@code groups} equal pieces of the row by itself (1: the whole row; H: one norm a head).
 *
 * @param weight [1, width / groups]
 * @param out may be {@code in}
 */
public record RmsNorm(View in, String weight, float eps, int groups, View out) implements Op {

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
        check.width("out", out, in.width());
        check.sameOrApart(in, out);
        check.that(groups > 0 && in.width() % groups == 0, in.width() + " columns in " + groups + " groups");
        check.that(eps > 0, "eps " + eps + ", expected more than 0");
        check.vector(weight, in.width() / groups, 1);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.rmsNorm(this);
    }
}
