package org.espalier.architecture;

import java.math.BigInteger;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.architecture.BlockSum.Kind;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.config.Backbone;
import org.espalier.program.Activation;
import org.espalier.program.Add;
import org.espalier.program.Embed;
import org.espalier.program.Experts;
import org.espalier.program.Gate;
import org.espalier.program.GatedMlp;
import org.espalier.program.GatedUnit;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.RmsNorm;
import org.espalier.program.Scale;
import org.espalier.program.View;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.slice.Share;
import org.espalier.slice.Share.Cut;
import org.espalier.slice.Shares;

/**
 * What decoder-only transformers share: embedding, pre-norm residual blocks, final norm and output matrix. An architecture file says what
 * a layer is, see {@link #program}; which slice of it this node has is decided here and in the parts of a layer, and nowhere else.
 */
final class Decoder {

    final ProgramBuilder program;
    final ModelWeights weights;
    /** [T, D], the residual stream. */
    final View residual;
    /** [T, D], what a block reads: the normed residual stream. */
    final View normed;
    /** [T, D], what a block yields. */
    final View block;

    private final Backbone backbone;
    private final Member member;
    private final NormWeight norms;
    private final BlockSum blockSum;
    private boolean routes;
    private float embeddingScale = 1;
    private float logitCap;

    /** @param member the node whose program it is */
    Decoder(Backbone backbone, Checkpoint checkpoint, Member member) {
        this(backbone, checkpoint, member, NormWeight.GAIN);
    }

    /** @param norms what the norms' weights are in this checkpoint, where no other is named */
    Decoder(Backbone backbone, Checkpoint checkpoint, Member member, NormWeight norms) {
        this.backbone = backbone;
        this.member = member;
        this.norms = norms;
        this.program = new ProgramBuilder("main", backbone.hidden());
        this.weights = new ModelWeights(checkpoint, program);
        this.residual = program.slot(backbone.hidden());
        this.normed = program.slot(backbone.hidden());
        this.block = program.slot(backbone.hidden());
        this.blockSum = new BlockSum(program);
    }

    /** Has embeddings multiplied by sqrt(D), <a href="https://arxiv.org/abs/1706.03762">Vaswani et al. 2017</a>, section 3.4. */
    Decoder withScaledEmbedding() {
        embeddingScale = (float) Math.sqrt(backbone.hidden());
        return this;
    }

    /** @param cap see {@link Logits} */
    Decoder withCappedLogits(float cap) {
        logitCap = cap;
        return this;
    }

    /** Adds the ops of one layer. */
    interface Layer {
        /** @param name for instance {@code model.layers.3} */
        void add(int index, String name);
    }

    /** The layers of the range, with embedding and logits where they belong to it. */
    Program program(Layer layer) {
        LayerRange layers = member.slice().layers();
        if (!routes) {
            member.group().requireExperts(0);
        }
        if (layers.embeds()) {
            program.op(new Embed(embedding(), residual));
            if (embeddingScale != 1) {
                program.op(new Scale(residual, embeddingScale));
            }
        }
        for (int index = layers.first(); index < layers.end(); index++) {
            layer.add(index, "model.layers." + index);
        }
        if (layers.yieldsLogits()) {
            normResidual("model.norm");
            logits();
        }
        return program.build(residual, residual);
    }

    /** Each node's rows of the output matrix; where the embedding is that matrix, it stays whole all the same. */
    private void logits() {
        View logits = program.logits(backbone.vocabulary());
        List<Cut> cuts = member.vocabulary(backbone.vocabulary());
        Cut own = cuts.get(member.rank());
        if (!own.isEmpty()) {
            String output = backbone.tiedEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight";
            String rows = weights.rows(output, "lm_head.weight", own, backbone.vocabulary(), backbone.hidden());
            program.op(new Logits(normed, rows, logitCap, logits.columns(own.first(), own.count())));
        }
        if (!shares().vocabulary().isWhole()) {
            blockSum.gather(logits, cuts.stream().map(Cut::count).toList());
        }
    }

    /** How many nodes share the layers. */
    int nodes() {
        return member.group().size();
    }

    /** This node's part of every layer. */
    Shares shares() {
        return member.slice().shares();
    }

    /**
     * The routed experts that this node holds.
     *
     * @param count E
     */
    List<Experts.Held> experts(int count) {
        routes = true;
        member.group().requireExperts(count);
        return shares().experts()
                .orElseGet(() ->
                        IntStream.range(0, count).mapToObj(Experts.Held::only).toList());
    }

    private String embedding() {
        return weights.matrix("model.embed_tokens.weight", backbone.vocabulary(), backbone.hidden());
    }

    /**
     * Begins a block: norms the residual stream.
     *
     * @param module name of the norm, without {@code .weight}
     */
    void normResidual(String module) {
        norm(residual, module, backbone.normEps(), normed);
    }

    /** The same by a gain whose name is not that of a module, {@code weight} a vector [D]. */
    void normResidualBy(String weight) {
        RmsNorm.Gain gain = new RmsNorm.Gain.Stored(weights.vector(weight, residual.width()));
        program.op(new RmsNorm(residual, gain, backbone.normEps(), 1, normed));
    }

    /** x *= factor. */
    void scale(View x, float factor) {
        program.op(new Scale(x, factor));
    }

    /** Ends a layer whose output has a scale of its own, {@code weight} one number. */
    void scaleResidual(String weight) {
        program.op(new Scale(residual, new Scale.Factor.Stored(weights.vector(weight, 1))));
    }

    /** Ends a block: adds the sum of its parts to the residual stream. */
    void addBlock() {
        program.op(new Add(residual, blockSum.sum(), residual));
    }

    /** Ends a block that is normed before it is added. */
    void addNormedBlock(String module) {
        program.op(new Add(residual, normedSum(module), residual));
    }

    /** Ends a block or a part of it: the sum of its parts, normed. */
    View normedSum(String module) {
        View sum = blockSum.sum();
        norm(sum, module, backbone.normEps(), sum);
        return sum;
    }

    /** A part of the block is in {@code view}. */
    void part(View view, Kind kind) {
        blockSum.add(view, kind);
    }

    /** The kind of a part of which this node has {@code cut}. */
    static Kind kind(Share share, Cut cut) {
        if (share.isWhole()) {
            return Kind.WHOLE;
        }
        return cut.isEmpty() ? Kind.NOTHING : Kind.TERM;
    }

    /**
     * x *= sigmoid(W normed), of a part of the block, by one number a row.
     *
     * @param module name of W [1, D], without {@code .weight}
     * @param gate [T, 1], free
     */
    void gatePart(String module, View gate, View x) {
        if (blockSum.computes(x)) {
            linear(normed, module, gate);
            program.op(new Gate(gate, Gate.Function.SIGMOID, x));
            blockSum.changed(x);
        }
    }

    void norm(View in, String module, float eps, View out) {
        norm(in, module, eps, 1, norms, out);
    }

    /** Norms each of {@code heads} equal pieces of x by itself, in place. */
    void normHeads(View x, int heads, String module) {
        norm(x, module, backbone.normEps(), heads, norms, x);
    }

    /** Norms each of {@code heads} equal pieces of {@code in} by itself, without a weight. */
    void normHeads(View in, int heads, View out) {
        program.op(new RmsNorm(in, RmsNorm.Gain.ONE, backbone.normEps(), heads, out));
    }

    /** Norms each of {@code groups} equal pieces of {@code in} by itself. */
    void norm(View in, String module, float eps, int groups, NormWeight kind, View out) {
        String weight = weights.vector(module + ".weight", in.width() / groups);
        RmsNorm.Gain gain =
                kind == NormWeight.GAIN ? new RmsNorm.Gain.Stored(weight) : new RmsNorm.Gain.OnePlus(weight);
        program.op(new RmsNorm(in, gain, eps, groups, out));
    }

    /** Whether a projection has a bias. */
    enum Bias {
        NONE,
        ADDED;

        static Bias of(boolean has) {
            return has ? ADDED : NONE;
        }
    }

    /**
     * out = W in.
     *
     * @param module name of the projection, without {@code .weight}
     */
    void linear(View in, String module, View out) {
        linear(in, module, Bias.NONE, out);
    }

    /** out = W in + b. */
    void linear(View in, String module, Bias bias, View out) {
        program.op(new Linear(in, projection(module, bias, out.width(), in.width()), out));
    }

    /** The rows {@code cut} of W and b: out[T, cut] = W in + b. */
    void rowSliced(View in, String module, Bias bias, Cut cut, int rows, View out) {
        program.op(new Linear(in, rowSliced(module, bias, cut, rows, in.width()), out));
    }

    private Projection rowSliced(String module, Bias bias, Cut cut, int rows, int columns) {
        String weight = weights.rows(module + ".weight", module + ".weight", cut, rows, columns);
        return new Projection(weight, bias == Bias.NONE ? null : weights.values(module + ".bias", cut, rows));
    }

    /** The columns {@code cut} of W: the node with the first of them adds the bias, which no other does. */
    Projection columnSliced(String module, Bias bias, Cut cut, int rows, int columns) {
        String weight = weights.columns(module + ".weight", cut, rows, columns);
        boolean adds = bias == Bias.ADDED && cut.first() == 0;
        return new Projection(weight, adds ? weights.vector(module + ".bias", rows) : null);
    }

    /**
     * A part of the block: W in + b.
     *
     * @param cut the columns of W that {@code in} belongs to
     * @param columns of W
     */
    void columnSliced(View in, String module, Bias bias, Share share, Cut cut, int columns) {
        Kind kind = kind(share, cut);
        if (kind != Kind.NOTHING) {
            program.op(new Linear(in, columnSliced(module, bias, cut, block.width(), columns), block));
        }
        part(block, kind);
    }

    /**
     * What this node's share has of {@code size} columns that a projection reads.
     *
     * @param module the projection, whose groups or blocks in this layer stay whole
     * @param together columns that stay together, for instance of a head
     */
    Cut cut(Share share, String module, int size, int together) {
        return share.cut(size, leastCommonMultiple(together, weights.columnUnit(module + ".weight")));
    }

    private static int leastCommonMultiple(int a, int b) {
        return a / BigInteger.valueOf(a).gcd(BigInteger.valueOf(b)).intValue() * b;
    }

    Projection projection(String module, Bias bias, int rows, int columns) {
        String weight = weights.matrix(module + ".weight", rows, columns);
        return new Projection(weight, bias == Bias.NONE ? null : weights.vector(module + ".bias", rows));
    }

    /** SwiGLU, <a href="https://arxiv.org/abs/2002.05202">Shazeer 2020</a>, a part of the block: down (silu(gate x) * (up x)). */
    void mlp(String module, int width) {
        mlp(module, Bias.NONE, width);
    }

    void mlp(String module, Bias bias, int width) {
        mlp(module, bias, width, Activation.SILU);
    }

    /** Without biases. */
    void mlp(String module, int width, Activation activation) {
        mlp(module, Bias.NONE, width, activation);
    }

    private void mlp(String module, Bias bias, int width, Activation activation) {
        Cut cut = cut(shares().width(), module + ".down_proj", width, 1);
        Kind kind = kind(shares().width(), cut);
        if (kind != Kind.NOTHING) {
            GatedUnit unit = new GatedUnit(
                    rowSliced(module + ".gate_proj", bias, cut, width, normed.width()),
                    rowSliced(module + ".up_proj", bias, cut, width, normed.width()),
                    columnSliced(module + ".down_proj", bias, cut, block.width(), width),
                    activation);
            program.op(new GatedMlp(normed, unit, block));
        }
        part(block, kind);
    }
}
