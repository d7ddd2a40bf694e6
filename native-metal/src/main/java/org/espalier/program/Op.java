package org.espalier.program;

import java.util.List;

/**
 * One coarse operation over the rows of a step. Weights are named as in {@link Program#weights()}; shapes are [rows of the step,
 * columns]. A new op is a record here and a case in every engine.
 */
public sealed interface Op {

    /** out[T, D] = rows of {@code weight}[V, D] by token id. */
    record Embed(String weight, View out) implements Op {}

    /**
     * Root mean square norm, <a href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich 2019</a>: x / sqrt(mean(x²) + eps) * weight,
     * over each of {@code groups} equal pieces of the row by itself (1: the whole row; H: one norm a head).
     *
     * @param weight [1, width / groups]
     */
    record RmsNorm(View in, String weight, float eps, int groups, View out) implements Op {}

    /**
     * out[T, rows] = in[T, columns] Wᵀ + bias.
     */
    record Linear(View in, Projection projection, View out) implements Op {}

    /**
     * Turns {@code rope.dimensions()} columns of each of {@code heads} equal pieces of x, in place, by the row's position.
     *
     * @param from the first of these columns in each piece; not 0 where a head has columns without position before them
     */
    record Rotate(View x, int heads, int from, Rope rope) implements Op {}

    /**
     * Causal attention with a cache of keys and values, <a href="https://arxiv.org/abs/2305.13245">GQA</a>: query head h uses key head
     * h * kvHeads / heads. Appends k and v to {@code cache} first; where that cache has a window, a row sees itself and the window - 1
     * rows before it.
     *
     * @param q [T, heads * headWidth]
     * @param k [T, kvHeads * headWidth]
     * @param v [T, kvHeads * headWidth]
     * @param sinks [1, heads], or null: a score for each head that takes its share of the softmax and adds nothing, <a
     *     href="https://arxiv.org/abs/2309.17453">Xiao et al. 2023</a> as gpt-oss learns it
     * @param cache index into {@link Program#caches()}, row = k then v
     * @param out [T, heads * headWidth]
     */
    record Attention(View q, View k, View v, int heads, int kvHeads, float scale, String sinks, int cache, View out)
            implements Op {}

    /**
     * Multi-head latent attention, <a href="https://arxiv.org/abs/2405.04434">DeepSeek V2</a> section 2.1, absorbed: keys and values
     * stay compressed in the cache. For each head: q' = keyUp[h] q_nope; scores = scale (q' · latent + q_rope · keyRope); out =
     * valueUp[h] (softmax(scores) latent).
     *
     * @param q [T, heads * (nope + rope)], the rope part already turned
     * @param latent [T, rank], already normed
     * @param keyRope [T, rope], already turned, shared by all heads
     * @param keyUp count heads, [rank, nope]
     * @param valueUp count heads, [value width, rank]
     * @param cache index into {@link Program#caches()}, row = latent then keyRope
     * @param out [T, heads * value width]
     */
    record LatentAttention(
            View q,
            View latent,
            View keyRope,
            String keyUp,
            String valueUp,
            int heads,
            float scale,
            int cache,
            View out)
            implements Op {}

    /** out = down (activation(gate x, up x)). */
    record GatedMlp(View in, GatedUnit unit, View out) implements Op {}

    /**
     * Chooses experts for each row and remembers them until the next route op.
     *
     * @param layer the checkpoint's layer index, for the trace and for router edits
     * @param gate [E, D]; its bias is part of the scores
     * @param correctionBias [1, E], or null: added for the choice only
     */
    record Route(int layer, View in, Projection gate, String correctionBias, Router router) implements Op {}

    /**
     * out = sum over the chosen experts that this shard holds of weight * down (activation(gate x, up x)).
     *
     * @param experts global ids in the order of the weights' pieces
     * @param unit weights of count experts.size()
     */
    record Experts(View in, List<Integer> experts, GatedUnit unit, View out) implements Op {
        public Experts {
            experts = List.copyOf(experts);
        }
    }

    /** x[T, width] *= sigmoid(gate[T, 1]): how much of a shared expert a row takes (Qwen2-MoE). */
    record SigmoidScale(View gate, View x) implements Op {}

    /** out = a + b; out may be a or b. */
    record Add(View a, View b, View out) implements Op {}

    /** Replaces x by the sum over the nodes that share this layer, see {@link org.espalier.engine.Exchange}. */
    record Exchange(View x) implements Op {}

    /**
     * The step's logits for the wanted rows: in Wᵀ. Always the last op.
     *
     * @param weight [V, D]
     */
    record Logits(View in, String weight) implements Op {}
}
