package org.espalier.program;

import java.util.List;

/**
 * The lightning indexer of <a href="https://arxiv.org/abs/2512.02556">DeepSeek-V3.2</a> section 2.1: chooses for each row t the rows that
 * the {@link LatentAttention} after it sees. Appends k to {@code cache} first. Of the rows s up to t, those with the {@code topK} greatest
 * scores, sum over heads h of w[h] relu(q[h] · k[s]); all of them where there are no more than {@code topK}. Computed in float32 from float
 * rows in every precision.
 *
 * <p>Of equal scores the earlier row is chosen: the relu makes exact zeros, which tie. Factors above 0 that all scores have (d^-½, H^-½)
 * choose nothing and are left out. The choice lasts to the next op of this kind, at the latest to the end of the step; it does not go to other
 * shards.
 *
 * @param layer the checkpoint's layer index, by which attention names the choice
 * @param q [T, H * d], rotated
 * @param k [T, d], normed and rotated, shared by all heads
 * @param w [T, H]
 * @param topK rows that are chosen at most
 * @param cache index into {@link Program#caches()}, row = k
 */
public record SelectRows(int layer, View q, View k, View w, int topK, int cache) implements Op {

    /** H. */
    public int heads() {
        return w.width();
    }

    /** How many of {@code context} rows the last one sees. */
    public int seen(int context) {
        return Math.min(context, topK);
    }

    @Override
    public List<View> reads() {
        return List.of(q, k, w);
    }

    @Override
    public List<View> writes() {
        return List.of();
    }

    @Override
    public List<String> weights() {
        return List.of();
    }

    @Override
    public void check(OpCheck check) {
        check.that(layer >= 0, "selects rows of layer %s", layer);
        check.that(
                q.width() == heads() * k.width(),
                "q has %s columns, expected %s heads of %s",
                q.width(),
                heads(),
                k.width());
        check.that(topK > 0, "selects %s rows, expected at least 1", topK);
        check.cache(cache, k.width());
        check.everyRow(cache);
    }

    /** Every row so far is read and scored, unless all are seen anyway. */
    @Override
    public Cost cost(Program program, StepShape step) {
        long scored = step.context() > topK ? (long) step.rows() * step.context() : 0;
        return new Cost(0, scored * k.width(), scored * 2 * q.width());
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.selectRows(this);
    }
}
