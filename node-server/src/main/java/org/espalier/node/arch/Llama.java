package org.espalier.node.arch;

import org.espalier.engine.program.Activation;
import org.espalier.engine.program.Op;
import org.espalier.engine.program.Program;
import org.espalier.engine.program.ProgramBuilder;
import org.espalier.engine.program.Rope;
import org.espalier.engine.program.View;
import org.espalier.model.LlamaConfig;
import org.espalier.node.weights.Weights;

/**
 * Llama, <a href="https://arxiv.org/abs/2302.13971">Touvron et al. 2023</a>, with grouped queries and scaled rope of <a
 * href="https://arxiv.org/abs/2407.21783">Llama 3</a>.
 *
 * <table>
 * <caption>Where the paper's parts are</caption>
 * <tr><td>x = x + Attention(RMSNorm(x))</td><td>{@link #attention}</td></tr>
 * <tr><td>x = x + W_down (SiLU(W_gate y) * W_up y), y = RMSNorm(x)</td><td>{@link #mlp}</td></tr>
 * <tr><td>logits = W_out RMSNorm(x)</td><td>{@link #program}</td></tr>
 * </table>
 */
final class Llama {

    private final LlamaConfig config;
    private final Weights weights;
    private final ProgramBuilder builder;
    private final Rope rope;

    // [T, width], used again in every layer
    private final View x; // the residual stream, D
    private final View normed; // D
    private final View q; // H * head width
    private final View k; // kv heads * head width
    private final View v; // kv heads * head width
    private final View mixed; // H * head width
    private final View delta; // D

    Llama(LlamaConfig config, Weights weights) {
        this.config = config;
        this.weights = weights;
        builder = new ProgramBuilder("main", config.hidden());
        rope = new Rope(
                weights.pairing(Rope.Pairing.HALF),
                RopeFrequencies.of(config.ropeTheta(), config.headWidth(), config.ropeScaling()),
                RopeFrequencies.attentionFactor(config.ropeScaling()));
        x = builder.slot(config.hidden());
        normed = builder.slot(config.hidden());
        q = builder.slot(config.heads() * config.headWidth());
        k = builder.slot(config.kvHeads() * config.headWidth());
        v = builder.slot(config.kvHeads() * config.headWidth());
        mixed = builder.slot(config.heads() * config.headWidth());
        delta = builder.slot(config.hidden());
    }

    Program program(LayerRange layers) {
        if (layers.isFirst()) {
            builder.op(new Op.Embed(matrix("model.embed_tokens.weight", config.vocabulary(), config.hidden()), x));
        }
        for (int layer = layers.first(); layer < layers.end(); layer++) {
            String prefix = "model.layers." + layer;
            attention(prefix);
            mlp(prefix);
        }
        if (layers.isLast()) {
            norm(x, "model.norm.weight");
            String head = config.tiedEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight";
            builder.op(new Op.Logits(normed, matrix(head, config.vocabulary(), config.hidden())));
        }
        return builder.build(x, x);
    }

    private void attention(String layer) {
        norm(x, layer + ".input_layernorm.weight");
        linear(normed, layer + ".self_attn.q_proj", config.attentionBias(), q);
        linear(normed, layer + ".self_attn.k_proj", config.attentionBias(), k);
        linear(normed, layer + ".self_attn.v_proj", config.attentionBias(), v);
        builder.op(new Op.Rotate(q, config.heads(), rope));
        builder.op(new Op.Rotate(k, config.kvHeads(), rope));
        float scale = (float) (1 / Math.sqrt(config.headWidth()));
        int cache = builder.cache(k.width() + v.width());
        builder.op(new Op.Attention(q, k, v, config.heads(), config.kvHeads(), scale, cache, mixed));
        linear(mixed, layer + ".self_attn.o_proj", config.attentionBias(), delta);
        builder.op(new Op.Add(x, delta, x));
    }

    private void mlp(String layer) {
        norm(x, layer + ".post_attention_layernorm.weight");
        int width = config.intermediate();
        builder.op(new Op.GatedMlp(
                normed,
                matrix(layer + ".mlp.gate_proj.weight", width, config.hidden()),
                matrix(layer + ".mlp.up_proj.weight", width, config.hidden()),
                matrix(layer + ".mlp.down_proj.weight", config.hidden(), width),
                Activation.SILU,
                delta));
        builder.op(new Op.Add(x, delta, x));
    }

    private void norm(View in, String weight) {
        String name = builder.weight(weight, weights.vector(weight, config.hidden()));
        builder.op(new Op.RmsNorm(in, name, config.normEps(), 1, normed));
    }

    private void linear(View in, String module, boolean biased, View out) {
        String bias = biased ? vector(module + ".bias", out.width()) : null;
        builder.op(new Op.Linear(in, matrix(module + ".weight", out.width(), in.width()), bias, out));
    }

    private String matrix(String name, int rows, int columns) {
        return builder.weight(name, weights.matrix(name, rows, columns));
    }

    private String vector(String name, int columns) {
        return builder.weight(name, weights.vector(name, columns));
    }
}
