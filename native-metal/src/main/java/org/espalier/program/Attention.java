package org.espalier.program;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Causal attention with a cache of keys and values, <a href="https://arxiv.org/abs/2305.13245">GQA</a>. Appends k and v to {@code cache}
 * first; where that cache has a window, a row sees itself and the window - 1 rows before it.
 *
 * @param q [T, H * head width]
 * @param k [T, KV heads * head width]
 * @param v [T, KV heads * value width], which is a width of its own
 * @param kvHead the KV head that each of the H query heads uses, counted among those of k
 * @param sinks [1, H], or null: a score for each head that takes its share of the softmax and adds nothing, <a
 *     href="https://arxiv.org/abs/2309.17453">Xiao et al. 2023</a> as gpt-oss learns it
 * @param cache index into {@link Program#caches()}, row = k then v
 * @param out [T, H * value width]
 */
public record Attention(View q, View k, View v, List<Integer> kvHead, float scale, String sinks, int cache, View out)
        implements Op {

    public Attention {
        kvHead = List.copyOf(kvHead);
    }

    /** Query heads in equal groups, one KV head each: query head h uses KV head h * kvHeads / heads. */
    public static List<Integer> grouped(int heads, int kvHeads) {
        return IntStream.range(0, heads).map(h -> h * kvHeads / heads).boxed().toList();
    }

    /** H. */
    public int heads() {
        return kvHead.size();
    }

    public int headWidth() {
        return q.width() / heads();
    }

    /** The heads of k, and of v. */
    public int kvHeads() {
        return k.width() / headWidth();
    }

    /** What a head of v and of out is wide. */
    public int valueWidth() {
        return v.width() / kvHeads();
    }

    @Override
    public List<View> reads() {
        return List.of(q, k, v);
    }

    @Override
    public List<View> writes() {
        return List.of(out);
    }

    @Override
    public List<String> weights() {
        return sinks == null ? List.of() : List.of(sinks);
    }

    @Override
    public void check(OpCheck check) {
        check.that(heads() > 0 && q.width() % heads() == 0, "q of %s columns for %s heads", q.width(), heads());
        check.that(k.width() % headWidth() == 0, "k of %s columns in heads of %s", k.width(), headWidth());
        check.that(
                kvHead.stream().allMatch(head -> head >= 0 && head < kvHeads()),
                "KV heads %s of a key with %s",
                kvHead,
                kvHeads());
        check.that(v.width() % kvHeads() == 0, "v of %s columns for %s KV heads", v.width(), kvHeads());
        check.width("out", out, heads() * valueWidth());
        check.apart(q, out);
        check.apart(k, out);
        check.apart(v, out);
        check.cache(cache, k.width() + v.width());
        if (sinks != null) {
            check.vector(sinks, heads(), 1);
        }
    }

    /** Each row reads the keys and values that it sees, and computes a score and a sum with each. */
    @Override
    public Cost cost(Program program, StepShape step) {
        long seen = ((Cache.Rows) program.caches().get(cache)).seen(step.context());
        return new Cost(
                0, step.rows() * seen * (k.width() + v.width()), step.rows() * seen * 2 * (q.width() + out.width()));
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.attention(this);
    }
}
