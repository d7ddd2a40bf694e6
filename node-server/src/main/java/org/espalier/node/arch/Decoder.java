package org.espalier.node.arch;

import org.espalier.checkpoint.Checkpoint;
import org.espalier.engine.program.Activation;
import org.espalier.engine.program.GatedUnit;
import org.espalier.engine.program.Op;
import org.espalier.engine.program.Program;
import org.espalier.engine.program.ProgramBuilder;
import org.espalier.engine.program.Projection;
import org.espalier.engine.program.View;
import org.espalier.model.ModelConfig;
import org.espalier.node.weights.Weights;

/**
 * What decoder-only transformers share: embedding, pre-norm residual blocks, final norm and output matrix. An architecture file writes its
 * blocks between {@link #embed} and {@link #logits}.
 */
final class Decoder {

    final ProgramBuilder program;
    final Weights weights;
    /** [T, D], the residual stream. */
    final View residual;
    /** [T, D], what a block reads: the normed residual stream. */
    final View normed;
    /** [T, D], what a block yields. */
    final View block;

    private final ModelConfig config;
    private final float normEps;

    Decoder(ModelConfig config, float normEps, Checkpoint checkpoint) {
        this.config = config;
        this.normEps = normEps;
        this.program = new ProgramBuilder("main", config.hidden());
        this.weights = new Weights(checkpoint, program);
        this.residual = program.slot(config.hidden());
        this.normed = program.slot(config.hidden());
        this.block = program.slot(config.hidden());
    }

    void embed() {
        program.op(new Op.Embed(embedding(), residual));
    }

    /** What a block reads. @param name of the norm's weight */
    void normResidual(String name) {
        norm(residual, name, normEps, normed);
    }

    /** Ends a block. */
    void addBlock() {
        program.op(new Op.Add(residual, block, residual));
    }

    void norm(View in, String name, float eps, View out) {
        program.op(new Op.RmsNorm(in, weights.vector(name, in.width()), eps, 1, out));
    }

    /** out = W in. @param module its name without {@code .weight} */
    void linear(View in, String module, View out) {
        String weight = weights.matrix(module + ".weight", out.width(), in.width());
        program.op(new Op.Linear(in, Projection.of(weight), out));
    }

    /** out = W in + b. */
    void linearWithBias(View in, String module, View out) {
        String weight = weights.matrix(module + ".weight", out.width(), in.width());
        program.op(new Op.Linear(in, new Projection(weight, weights.vector(module + ".bias", out.width())), out));
    }

    /** SwiGLU, <a href="https://arxiv.org/abs/2002.05202">Shazeer 2020</a>: out = down (silu(gate x) * (up x)). */
    void mlp(View in, String module, int width, View out) {
        program.op(new Op.GatedMlp(
                in,
                GatedUnit.of(
                        weights.matrix(module + ".gate_proj.weight", width, in.width()),
                        weights.matrix(module + ".up_proj.weight", width, in.width()),
                        weights.matrix(module + ".down_proj.weight", out.width(), width),
                        Activation.SILU),
                out));
    }

    void logits() {
        normResidual("model.norm.weight");
        String output = config.tiedEmbeddings()
                ? embedding()
                : weights.matrix("lm_head.weight", config.vocabulary(), config.hidden());
        program.op(new Op.Logits(normed, output));
    }

    Program build() {
        return program.build(residual, residual);
    }

    private String embedding() {
        return weights.matrix("model.embed_tokens.weight", config.vocabulary(), config.hidden());
    }
}
