package org.espalier.program;

import java.util.List;

/**
 * Multi-head latent attention, <a href="https://arxiv.org/abs/2405.04434">DeepSeek V2</a> section 2.1, absorbed: keys and values
 * stay compressed in the cache. For each head: q' = keyUp[h] q_nope; scores = scale (q' · latent + q_rope · keyRope); out =
 * valueUp[h] (softmax(scores) latent). A row sees all rows up to itself, or those of them that a {@link SelectRows} chose for it.
 *
 * @param q [T, H * (nope + rope)], the rope part already rotated
 * @param latent [T, rank], already normed
 * @param keyRope [T, rope], already rotated, shared by all heads
 * @param keyUp count H, [rank, nope]
 * @param valueUp count H, [value width, rank]
 * @param cache index into {@link Program#caches()}, row = latent then keyRope
 * @param selection the layer of the {@link SelectRows} whose choice it sees, its own or one before; null where it sees all
 * @param out [T, H * value width]
 */
public record LatentAttention(
        View q,
        View latent,
        View keyRope,
        String keyUp,
        String valueUp,
        int heads,
        float scale,
        int cache,
        Integer selection,
        View out)
        implements Op {

    @Override
    public List<View> reads() {
        return List.of(q, latent, keyRope);
    }

    @Override
    public List<View> writes() {
        return List.of(out);
    }

    @Override
    public List<String> weights() {
        return List.of(keyUp, valueUp);
    }

    @Override
    public void check(OpCheck check) {
        check.that(heads > 0 && q.width() % heads == 0, "q of %s columns for %s heads", q.width(), heads);
        int nope = q.width() / heads - keyRope.width();
        check.that(nope > 0, "q heads %s wide, of which rope is %s", q.width() / heads, keyRope.width());
        check.that(out.width() % heads == 0, "out of %s columns for %s heads", out.width(), heads);
        check.matrices(keyUp, latent.width(), nope, heads);
        check.matrices(valueUp, out.width() / heads, latent.width(), heads);
        check.cache(cache, latent.width() + keyRope.width());
        if (selection != null) {
            check.selection(selection);
            check.everyRow(cache);
        }
        check.apart(q, out);
        check.apart(latent, out);
        check.apart(keyRope, out);
    }

    /** The two matrices once, and for each row the latents that it sees, with which every head computes. */
    @Override
    public Cost cost(Program program, StepShape step) {
        long seen = selection == null
                ? ((Cache.Rows) program.caches().get(cache)).seen(step.context())
                : program.selection(selection).seen(step.context());
        long width = latent.width() + keyRope.width();
        Cost absorbed = Op.super.cost(program, step);
        return absorbed.plus(
                new Cost(0, step.rows() * seen * width, step.rows() * seen * 2 * heads * (width + latent.width())));
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.latentAttention(this);
    }
}
