package org.espalier.engine;

import static org.espalier.engine.WeightFile.random;

import java.util.List;
import org.espalier.program.Add;
import org.espalier.program.Attention;
import org.espalier.program.Embed;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.GatedDeltaRule;
import org.espalier.program.LatentAttention;
import org.espalier.program.LayerNorm;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.SelectRows;
import org.espalier.program.ShortConvolution;
import org.espalier.program.View;

/**
 * Programs with KV state, V = 11 and D = 8: one layer of attention between embedding and logits, over all rows, a window or chosen rows;
 * and latent attention over activations.
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

    /** Tokens to logits by latent attention of 2 heads over the 3 rows that an indexer of 2 heads chooses. */
    static Program selecting(WeightFile file) {
        ProgramBuilder builder = new ProgramBuilder("main", HIDDEN);
        View x = builder.slot(HIDDEN);
        View q = builder.slot(8);
        View latent = builder.slot(6);
        View index = builder.slot(14);
        View mixed = builder.slot(HIDDEN);
        builder.weight("embed", file.floats(random(31, VOCABULARY, HIDDEN)));
        builder.weight("q", file.floats(random(32, 8, HIDDEN)));
        builder.weight("latent", file.floats(random(33, 6, HIDDEN)));
        builder.weight("head", file.floats(random(34, VOCABULARY, HIDDEN)));
        builder.weight("index", file.floats(random(35, 14, HIDDEN)));
        builder.weight("indexNorm", file.floats(random(36, 1, 4)));
        builder.weight("indexBias", file.floats(random(37, 1, 4)));
        builder.weight("keyUp", file.floats(random(38, 4, 2), random(39, 4, 2)));
        builder.weight("valueUp", file.floats(random(40, 4, 4), random(41, 4, 4)));
        View indexQuery = index.columns(0, 8);
        View indexKey = index.columns(8, 4);
        Rope rope = new Rope(Rope.Pairing.HALF, new float[] {0.7f}, 1);
        return builder.op(new Embed("embed", x))
                .op(new Linear(x, Projection.of("q"), q))
                .op(new Linear(x, Projection.of("latent"), latent))
                .op(new Linear(x, Projection.of("index"), index))
                .op(new Rotate(q, 2, 2, rope))
                .op(new Rotate(latent.columns(4, 2), 1, 0, rope))
                .op(new LayerNorm(indexKey, "indexNorm", "indexBias", 1e-6f, indexKey))
                .op(new Rotate(indexQuery, 2, 0, rope))
                .op(new Rotate(indexKey, 1, 0, rope))
                .op(new SelectRows(0, indexQuery, indexKey, index.columns(12, 2), 3, builder.cache(4)))
                .op(new LatentAttention(
                        q,
                        latent.columns(0, 4),
                        latent.columns(4, 2),
                        "keyUp",
                        "valueUp",
                        2,
                        0.5f,
                        builder.cache(6),
                        0,
                        mixed))
                .op(new ExchangeBegin(1, mixed, new ExchangeBegin.Sum()))
                .op(new ExchangeAwait(1))
                .op(new Add(x, mixed, x))
                .op(new Logits(x, "head", builder.logits(VOCABULARY)))
                .build(x, x);
    }

    /** Tokens to logits by states alone: a convolution over 3 rows, and 2 value heads of width 3 with one key head of width 4. */
    static Program states(WeightFile file) {
        int mixed = 2 * 4 + 2 * 3;
        ProgramBuilder builder = new ProgramBuilder("main", HIDDEN);
        View x = builder.slot(HIDDEN);
        View in = builder.slot(mixed);
        View convolved = builder.slot(mixed);
        View gates = builder.slot(4);
        View out = builder.slot(6);
        View block = builder.slot(HIDDEN);
        builder.weight("embed", file.floats(random(71, VOCABULARY, HIDDEN)));
        builder.weight("in", file.floats(random(72, mixed, HIDDEN)));
        builder.weight("gates", file.floats(random(73, 4, HIDDEN)));
        builder.weight("taps", file.floats(random(74, mixed, 3)));
        builder.weight("aLog", file.floats(random(75, 1, 2)));
        builder.weight("dtBias", file.floats(random(76, 1, 2)));
        builder.weight("out", file.floats(random(77, HIDDEN, 6)));
        builder.weight("head", file.floats(random(78, VOCABULARY, HIDDEN)));
        return builder.op(new Embed("embed", x))
                .op(new Linear(x, Projection.of("in"), in))
                .op(new Linear(x, Projection.of("gates"), gates))
                .op(new ShortConvolution(in, List.of("taps"), 3, builder.state(2 * mixed), convolved))
                .op(new GatedDeltaRule(
                        convolved.columns(0, 4),
                        convolved.columns(4, 4),
                        convolved.columns(8, 6),
                        gates.columns(0, 2),
                        gates.columns(2, 2),
                        new GatedDeltaRule.Rate.Log("aLog"),
                        "dtBias",
                        4,
                        List.of(0, 0),
                        builder.state(2 * 4 * 3),
                        out))
                .op(new Linear(out, Projection.of("out"), block))
                .op(new ExchangeBegin(1, block, new ExchangeBegin.Sum()))
                .op(new ExchangeAwait(1))
                .op(new Add(x, block, x))
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
        return latent(builder, file, x, null);
    }

    static final int INDEX_HEADS = 2;
    static final int INDEX_WIDTH = 3;
    static final int INDEX_ROW = INDEX_HEADS * INDEX_WIDTH + INDEX_WIDTH + INDEX_HEADS;

    /** The same over {@code topK} rows, chosen by what follows in each row: [2 heads * index width + index width + 2]. */
    static Program latentOfChosen(WeightFile file, int topK) {
        ProgramBuilder builder = new ProgramBuilder("main", ROW + INDEX_ROW);
        View x = builder.slot(ROW + INDEX_ROW);
        int queries = INDEX_HEADS * INDEX_WIDTH;
        builder.op(new SelectRows(
                4,
                x.columns(ROW, queries),
                x.columns(ROW + queries, INDEX_WIDTH),
                x.columns(ROW + queries + INDEX_WIDTH, INDEX_HEADS),
                topK,
                builder.cache(INDEX_WIDTH)));
        return latent(builder, file, x, 4);
    }

    private static Program latent(ProgramBuilder builder, WeightFile file, View x, Integer selection) {
        View out = builder.slot(x.width());
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
                        selection,
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
