package org.espalier.program;

import java.util.List;

/**
 * A causal convolution of each column with the rows before it, then SiLU: out[t, c] = silu(sum over k of w[c, k] x[t - kernel + 1 + k, c]), as
 * in <a href="https://arxiv.org/abs/2312.00752">Mamba</a> section 3.4. Rows before the session's first are zero.
 *
 * @param x [T, C]
 * @param convolutions [channels, kernel] each, of channels of x that follow each other
 * @param kernel rows that a row sees, itself among them
 * @param cache index into {@link Program#caches()}, a state: the last kernel - 1 rows of x
 * @param out [T, C]
 */
public record ShortConvolution(View x, List<String> convolutions, int kernel, int cache, View out) implements Op {

    public ShortConvolution {
        convolutions = List.copyOf(convolutions);
    }

    @Override
    public List<View> reads() {
        return List.of(x);
    }

    @Override
    public List<View> writes() {
        return List.of(out);
    }

    @Override
    public List<String> weights() {
        return convolutions;
    }

    @Override
    public void check(OpCheck check) {
        check.that(kernel > 1, "a kernel of %s rows, expected 2 or more", kernel);
        int channels = 0;
        for (String name : convolutions) {
            int rows = check.rows(name);
            check.matrices(name, rows, kernel, 1);
            check.storedAsRows(name);
            channels += rows;
        }
        check.width("x", x, channels);
        check.width("out", out, channels);
        check.apart(x, out);
        check.state(cache, (kernel - 1) * channels);
    }

    /** Each row by itself reads the rows before it. */
    @Override
    public Cost cost(Program program, StepShape step) {
        return Op.super.cost(program, step).plus(new Cost(0, (long) step.rows() * (kernel - 1) * x.width(), 0));
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.shortConvolution(this);
    }
}
