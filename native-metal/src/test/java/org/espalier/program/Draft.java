package org.espalier.program;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.program.Experts.Held;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;

/** A program with every op once that passes its check, and that a test then spoils. D = 8, V = 11. */
final class Draft {

    static final View X = new View(0, 0, 8);
    static final View H = new View(1, 0, 8);
    static final View QKV = new View(2, 0, 16);
    static final View Q = QKV.columns(0, 8);
    static final View K = QKV.columns(8, 4);
    static final View V = QKV.columns(12, 4);
    static final View MIXED = new View(3, 0, 8);
    static final View SUM = new View(4, 0, 8);
    static final View GATE = new View(5, 0, 1);
    static final View FREE = new View(5, 1, 8);
    static final View Y = new View(7, 0, 11);
    static final Router ROUTER = new Router(4, 2, Router.Scoring.SIGMOID, Router.Groups.NONE, true, 1);
    static final Rope ROPE = new Rope(Rope.Pairing.HALF, new float[] {1, 0.1f}, 1);
    static final GatedUnit UNIT = GatedUnit.of("g", "u", "d", Activation.SILU);

    /** Where in {@link #ops} each op stands. */
    static final int EMBED = 0;

    static final int NORM = 1;
    static final int LINEAR = 2;
    static final int ROTATE = 3;
    static final int ATTENTION = 4;
    static final int BEGIN_SUM = 5;
    static final int GATE_LINEAR = 6;
    static final int AWAIT_SUM = 7;
    static final int ADD = 8;
    static final int ROUTE = 9;
    static final int EXPERTS = 10;
    static final int SCALE = 11;
    static final int BEGIN_GATHER = 12;
    static final int AWAIT_GATHER = 13;
    static final int MLP = 14;
    static final int LAYER_NORM = 15;
    static final int SELECT = 16;
    static final int LATENT = 17;
    static final int FACTOR = 18;
    static final int CONVOLUTION = 19;
    static final int DELTA = 20;
    static final int LOGITS = 21;

    final List<Integer> slots = new ArrayList<>(List.of(8, 8, 16, 8, 8, 9, 8, 11));
    final List<Op> ops = new ArrayList<>();
    final Map<String, Weight> weights = new TreeMap<>();
    final List<Cache> caches = new ArrayList<>(List.of(
            new Cache.Rows(8, 0), new Cache.Rows(4, 0), new Cache.Rows(4, 0), new Cache.State(16), new Cache.State(8)));
    View input = X;
    View output = X;
    View logits = Y;

    private final Path file;
    private long end;

    Draft(Path directory) {
        file = directory.resolve("weights.bin");
        weight("embed", 1, 11, 8);
        weight("norm", 1, 1, 8);
        weight("qkv", 1, 16, 8);
        weight("bias", 1, 1, 16);
        weight("sinks", 1, 1, 2);
        weight("scale", 1, 1, 8);
        weight("r", 1, 4, 8);
        weight("correction", 1, 1, 4);
        for (String name : List.of("g", "u")) {
            weight(name, 2, 5, 8);
            weight("s" + name, 1, 6, 8);
        }
        weight("d", 2, 8, 5);
        weight("sd", 1, 8, 6);
        weight("keyUp", 2, 3, 3);
        weight("valueUp", 2, 4, 3);
        weight("taps", 1, 6, 3);
        weight("rest", 1, 2, 3);
        weight("aLog", 1, 1, 2);
        weight("dt", 1, 1, 2);
        weight("head", 1, 11, 8);
        weight("keyNorm", 1, 1, 4);
        weight("keyBias", 1, 1, 4);
        ops.add(new Embed("embed", X));
        ops.add(new RmsNorm(X, "norm", 1e-5f, 1, H));
        ops.add(new Linear(H, new Projection("qkv", "bias"), QKV));
        ops.add(new Rotate(Q, 2, 0, ROPE));
        ops.add(attention(List.of(0, 0), 0));
        ops.add(new ExchangeBegin(1, MIXED, new ExchangeBegin.Sum()));
        ops.add(new Linear(H, Projection.of("scale"), GATE));
        ops.add(new ExchangeAwait(1));
        ops.add(new Add(X, MIXED, X));
        ops.add(new Route(3, X, Projection.of("r"), "correction", ROUTER));
        ops.add(new Experts(3, X, List.of(Held.only(0), Held.only(2)), UNIT, SUM));
        ops.add(new Gate(GATE, Gate.Function.SIGMOID, SUM));
        ops.add(new ExchangeBegin(2, SUM, new ExchangeBegin.Gather(List.of(5, 0, 3))));
        ops.add(new ExchangeAwait(2));
        ops.add(new GatedMlp(SUM, GatedUnit.of("sg", "su", "sd", Activation.SILU), MIXED));
        ops.add(new LayerNorm(K, "keyNorm", "keyBias", 1e-6f, K));
        ops.add(select(3, 2));
        ops.add(latent(2, 1));
        ops.add(new Scale(X, 2));
        ops.add(new ShortConvolution(Q, List.of("taps", "rest"), 3, 3, FREE));
        ops.add(delta(List.of(1, 0), 4));
        ops.add(new Logits(X, "head", Y));
    }

    static Attention attention(List<Integer> kvHead, int cache) {
        return new Attention(Q, K, V, kvHead, 0.5f, "sinks", cache, MIXED);
    }

    /** 2 heads 4 wide. */
    static SelectRows select(int layer, int cache) {
        return new SelectRows(layer, Q, K, V.columns(0, 2), 16, cache);
    }

    /** Of heads 4 wide, 1 of it with a position; a latent of 3. */
    static LatentAttention latent(int heads, int cache) {
        return latent(heads, cache, 3);
    }

    static LatentAttention latent(int heads, int cache, Integer selection) {
        return new LatentAttention(
                Q, QKV.columns(9, 3), QKV.columns(8, 1), "keyUp", "valueUp", heads, 0.5f, cache, selection, H);
    }

    /** Two key heads and two value heads, all 2 wide. */
    static GatedDeltaRule delta(List<Integer> keyHead, int cache) {
        View decay = QKV.columns(12, 2);
        View beta = QKV.columns(14, 2);
        return new GatedDeltaRule(
                FREE.columns(0, 4),
                FREE.columns(4, 4),
                K,
                decay,
                beta,
                new GatedDeltaRule.Rate.Log("aLog"),
                "dt",
                2,
                keyHead,
                cache,
                MIXED.columns(0, 4));
    }

    /** {@code count} matrices in float32, after those that the file has so far. */
    Draft weight(String name, int count, int rows, int columns) {
        Piece first = Piece.of(new Region(file, end, (long) columns * Float.BYTES));
        weights.put(name, Weight.stack(rows, columns, Plain.F32, first, count));
        end += (long) count * rows * columns * Float.BYTES;
        return this;
    }

    Path file() {
        return file;
    }

    Draft set(int index, Op op) {
        ops.set(index, op);
        return this;
    }

    Draft insert(int index, Op op) {
        ops.add(index, op);
        return this;
    }

    /** With a file of the right length. */
    Program program() {
        try {
            Files.write(file, new byte[(int) end]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Program("main", 8, slots, input, output, logits, ops, weights, caches);
    }
}
