package org.espalier.engine;

import static org.espalier.engine.WeightFile.random;

import org.espalier.program.Add;
import org.espalier.program.Attention;
import org.espalier.program.Embed;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.LatentAttention;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.View;

/**
 * Programs with KV state, V = 11 and D = 8: one layer of attention between embedding and logits, and latent attention over
 * activations.
 */
final class TinyProgram {

    static final int VOCABULARY = 11;
    static final int HIDDEN = 8;

    private TinyProgram() {}

    /** Tokens to logits: 2 query heads of width 4 that share 1 key head. */
    static Program tokens(WeightFile file) {
        return tokens(file, 0);
    }

    /** The same whose attention sees {@code window} rows. */
    static Program tokens(WeightFile file, int window) {
        ProgramBuilder builder = new ProgramBuilder("main", HIDDEN);
        View x = builder.slot(HIDDEN);
        View q = builder.slot(HIDDEN);
        View kv = builder.slot(8);
        View mixed = builder.slot(HIDDEN);
        int cache = builder.cache(8, window);
        builder.weight("embed", file.floats(random(31, VOCABULARY, HIDDEN)));
        builder.weight("q", file.floats(random(32, HIDDEN, HIDDEN)));
        builder.weight("kv", file.floats(random(33, 8, HIDDEN)));
        builder.weight("head", file.floats(random(34, VOCABULARY, HIDDEN)));
        Rope rope = new Rope(Rope.Pairing.HALF, new float[] {1, 0.1f}, 1);
        return builder.op(new Embed("embed", x))
                .op(new Linear(x, Projection.of("q"), q))
                .op(new Linear(x, Projection.of("kv"), kv))
                .op(new Rotate(q, 2, 0, rope))
                .op(new Rotate(kv.columns(0, 4), 1, 0, rope))
                .op(new Attention(
                        q, kv.columns(0, 4), kv.columns(4, 4), Attention.grouped(2, 1), 0.5f, null, cache, mixed))
                .op(new ExchangeBegin(1, mixed, new ExchangeBegin.Sum()))
                .op(new ExchangeAwait(1))
                .op(new Add(x, mixed, x))
                .op(new Logits(x, "head", builder.logits(VOCABULARY)))
                .build(x, x);
    }

    static final int RANK = 3;
    static final int ROPE = 2;
    static final int NOPE = 4;
    static final int VALUE = 5;
    static final int ROW = 2 * (NOPE + ROPE) + RANK + ROPE;

    /** Rows [2 heads * (nope + rope) + rank + rope] to [2 heads * value]: latent attention and nothing else. */
    static Program latent(WeightFile file) {
        ProgramBuilder builder = new ProgramBuilder("main", ROW);
        View x = builder.slot(ROW);
        View out = builder.slot(ROW);
        int queries = 2 * (NOPE + ROPE);
        int cache = builder.cache(RANK + ROPE);
        builder.weight("keyUp", file.floats(keyUp()));
        builder.weight("valueUp", file.floats(valueUp()));
        return builder.op(new Add(x, x, out)) // a program yields what it has written
                .op(new LatentAttention(
                        x.columns(0, queries),
                        x.columns(queries, RANK),
                        x.columns(queries + RANK, ROPE),
                        "keyUp",
                        "valueUp",
                        2,
                        0.7f,
                        cache,
                        out.columns(0, 2 * VALUE)))
                .build(x, out);
    }

    static float[][][] keyUp() {
        return new float[][][] {random(35, RANK, NOPE), random(36, RANK, NOPE)};
    }

    static float[][][] valueUp() {
        return new float[][][] {random(37, VALUE, RANK), random(38, VALUE, RANK)};
    }
}
