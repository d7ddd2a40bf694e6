package org.espalier.architecture;

import org.espalier.checkpoint.Checkpoint;
import org.espalier.config.Backbone;
import org.espalier.program.Activation;
import org.espalier.program.Add;
import org.espalier.program.Embed;
import org.espalier.program.GatedMlp;
import org.espalier.program.GatedUnit;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.RmsNorm;
import org.espalier.program.View;

/**
 * What decoder-only transformers share: embedding, pre-norm residual blocks, final norm and output matrix. An architecture file says what
 * a layer is, see {@link #program}.
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
    private final LayerRange layers;

    /** @param layers the range that the program computes */
    Decoder(Backbone backbone, Checkpoint checkpoint, LayerRange layers) {
        this.backbone = backbone;
        this.layers = layers;
        this.program = new ProgramBuilder("main", backbone.hidden());
        this.weights = new ModelWeights(checkpoint, program);
        this.residual = program.slot(backbone.hidden());
        this.normed = program.slot(backbone.hidden());
        this.block = program.slot(backbone.hidden());
    }

    /** Adds the ops of one layer. */
    interface Layer {
        /** @param name for instance {@code model.layers.3} */
        void add(int index, String name);
    }

    /** The layers of the range, with embedding and logits where they belong to it. */
    Program program(Layer layer) {
        if (layers.embeds()) {
            program.op(new Embed(embedding(), residual));
        }
        for (int index = layers.first(); index < layers.end(); index++) {
            layer.add(index, "model.layers." + index);
        }
        if (layers.yieldsLogits()) {
            normResidual("model.norm");
            String output = backbone.tiedEmbeddings()
                    ? embedding()
                    : weights.matrix("lm_head.weight", backbone.vocabulary(), backbone.hidden());
            program.op(new Logits(normed, output));
        }
        return program.build(residual, residual);
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

    /** Ends a block: adds it to the residual stream. */
    void addBlock() {
        program.op(new Add(residual, block, residual));
    }

    void norm(View in, String module, float eps, View out) {
        program.op(new RmsNorm(in, weights.vector(module + ".weight", in.width()), eps, 1, out));
    }

    /** Norms each of {@code heads} equal pieces of x by itself, in place. */
    void normHeads(View x, int heads, String module) {
        String weight = weights.vector(module + ".weight", x.width() / heads);
        program.op(new RmsNorm(x, weight, backbone.normEps(), heads, x));
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

    Projection projection(String module, Bias bias, int rows, int columns) {
        String weight = weights.matrix(module + ".weight", rows, columns);
        return new Projection(weight, bias == Bias.NONE ? null : weights.vector(module + ".bias", rows));
    }

    /** SwiGLU, <a href="https://arxiv.org/abs/2002.05202">Shazeer 2020</a>: out = down (silu(gate x) * (up x)). */
    void mlp(View in, String module, int width, View out) {
        mlp(in, module, Bias.NONE, width, out);
    }

    void mlp(View in, String module, Bias bias, int width, View out) {
        program.op(new GatedMlp(
                in,
                new GatedUnit(
                        projection(module + ".gate_proj", bias, width, in.width()),
                        projection(module + ".up_proj", bias, width, in.width()),
                        projection(module + ".down_proj", bias, out.width(), width),
                        Activation.SILU),
                out));
    }
}
