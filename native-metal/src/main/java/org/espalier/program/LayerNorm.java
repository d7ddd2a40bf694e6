package org.espalier.program;

import java.util.List;

/**
 * Layer norm, <a href="https://arxiv.org/abs/1607.06450">Ba et al. 2016</a>, over the whole row: (x - mean(x)) / sqrt(variance(x) + eps) *
 * weight + bias, with the variance as a mean over all columns.
 *
 * @param weight [1, width]
 * @param bias [1, width]
 * @param out may be {@code in}
 */
public record LayerNorm(View in, String weight, String bias, float eps, View out) implements Op {

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
        return List.of(weight, bias);
    }

    @Override
    public void check(OpCheck check) {
        check.width("out", out, in.width());
        check.sameOrApart(in, out);
        check.that(eps > 0, "eps %s, expected more than 0", eps);
        check.vector(weight, in.width(), 1);
        check.vector(bias, in.width(), 1);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.layerNorm(this);
    }
}
