package org.espalier.program;

import java.util.List;

/**
 * Linear attention with a state that forgets and corrects, <a href="https://arxiv.org/abs/2412.06464">Gated DeltaNet</a> eq. 10. Each of Hv value
 * heads has a state S [key width, value width], float32 in every precision. For each row, with its key head's q and k of length 1 (q and k divided by the
 * root of their sum of squares plus {@link #EPS}) and q / sqrt(key width):
 *
 * <pre>
 * g = exp(-rate softplus(decay + dtBias))          how much of the state stays
 * u = sigmoid(beta) (v - g Sᵀk)                    what k yields too little
 * S = g S + k uᵀ
 * out = Sᵀq
 * </pre>
 *
 * <p>Over {@link #CHUNK} rows this is computed as one, section 3.3: with G_i the product of the first i factors g, u_i = sigmoid(beta_i) (v_i - G_i
 * Sᵀk_i - sum over j &lt; i of G_i / G_j (k_i · k_j) u_j), so that the state is written once a chunk.
 *
 * @param q [T, key heads * key width]
 * @param k [T, key heads * key width]
 * @param v [T, Hv * value width]
 * @param decay [T, Hv]
 * @param beta [T, Hv]
 * @param rate [1, Hv]
 * @param dtBias [1, Hv]
 * @param keyWidth columns of a key head
 * @param keyHead the key head that each of the Hv value heads uses, counted among those of k
 * @param cache index into {@link Program#caches()}, a state [Hv, key width, value width]
 * @param out [T, Hv * value width]
 */
public record GatedDeltaRule(
        View q,
        View k,
        View v,
        View decay,
        View beta,
        Rate rate,
        String dtBias,
        int keyWidth,
        List<Integer> keyHead,
        int cache,
        View out)
        implements Op {

    /** How fast the heads forget, in the form that is stored. */
    public sealed interface Rate {

        String weight();

        /** Its logarithm, as published. */
        record Log(String weight) implements Rate {}

        /** Its negative, as in GGUF files. */
        record Negative(String weight) implements Rate {}
    }

    /** Added to the sum of squares of q and of k, as in the published code. */
    public static final float EPS = 1e-6f;

    /** The most rows of a session that are computed as one. */
    public static final int CHUNK = 64;

    public GatedDeltaRule {
        keyHead = List.copyOf(keyHead);
    }

    /** Hv. */
    public int heads() {
        return keyHead.size();
    }

    public int valueWidth() {
        return v.width() / heads();
    }

    @Override
    public List<View> reads() {
        return List.of(q, k, v, decay, beta);
    }

    @Override
    public List<View> writes() {
        return List.of(out);
    }

    @Override
    public List<String> weights() {
        return List.of(rate.weight(), dtBias);
    }

    @Override
    public void check(OpCheck check) {
        check.that(heads() > 0 && v.width() % heads() == 0, "v of %s columns for %s heads", v.width(), heads());
        check.that(keyWidth > 0 && k.width() % keyWidth == 0, "k of %s columns in heads of %s", k.width(), keyWidth);
        check.width("q", q, k.width());
        int keyHeads = k.width() / keyWidth;
        check.that(
                keyHead.stream().allMatch(head -> head >= 0 && head < keyHeads),
                "key heads %s of a key with %s",
                keyHead,
                keyHeads);
        check.width("decay", decay, heads());
        check.width("beta", beta, heads());
        check.width("out", out, v.width());
        reads().forEach(in -> check.apart(in, out));
        check.vector(rate.weight(), heads(), 1);
        check.vector(dtBias, heads(), 1);
        check.state(cache, keyWidth * v.width());
    }

    /** Each row reads the state, and computes three products with it. */
    @Override
    public Cost cost(Program program, StepShape step) {
        long state = (long) step.rows() * keyWidth * v.width();
        return Op.super.cost(program, step).plus(new Cost(0, state, 6 * state));
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.gatedDeltaRule(this);
    }
}
