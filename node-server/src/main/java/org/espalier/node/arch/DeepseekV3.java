package org.espalier.node.arch;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.engine.program.Activation;
import org.espalier.engine.program.Op;
import org.espalier.engine.program.Program;
import org.espalier.engine.program.ProgramBuilder;
import org.espalier.engine.program.Rope;
import org.espalier.engine.program.Router;
import org.espalier.engine.program.View;
import org.espalier.model.DeepseekV3Config;
import org.espalier.model.RopeScaling;
import org.espalier.node.weights.Weights;

/**
 * DeepSeek-V3, <a href="https://arxiv.org/abs/2412.19437">DeepSeek-AI 2024</a>.
 *
 * <table>
 * <caption>Where the paper's parts are</caption>
 * <tr><td>section 2.1.1, equations 1 to 11: multi-head latent attention</td><td>{@link #attention}</td></tr>
 * <tr><td>equations 12 and 13: shared and routed experts</td><td>{@link #moe}</td></tr>
 * <tr><td>equations 14 to 16: sigmoid affinity, top-k with a bias for balance</td><td>{@link #router}</td></tr>
 * </table>
 *
 * Multi-token prediction (section 2.2) is a program of its own; its layers are not read here.
 */
final class DeepseekV3 {

    private final DeepseekV3Config config;
    private final Weights weights;
    private final ProgramBuilder builder;
    private final Rope rope;

    // [T, width], used again in every layer
    private final View x; // the residual stream, D
    private final View normed; // D
    private final View queryLatent; // query rank
    private final View q; // H * (nope + rope)
    private final View compressed; // kv rank + rope: latent and rope key
    private final View mixed; // H * value
    private final View delta; // D
    private final View shared; // D

    DeepseekV3(DeepseekV3Config config, Weights weights) {
        this.config = config;
        this.weights = weights;
        builder = new ProgramBuilder("main", config.hidden());
        rope = new Rope(
                weights.pairing(Rope.Pairing.INTERLEAVED),
                RopeFrequencies.of(config.ropeTheta(), config.rope(), config.ropeScaling()),
                RopeFrequencies.attentionFactor(config.ropeScaling()));
        x = builder.slot(config.hidden());
        normed = builder.slot(config.hidden());
        queryLatent = config.queryRank() == 0 ? null : builder.slot(config.queryRank());
        q = builder.slot(config.heads() * (config.nope() + config.rope()));
        compressed = builder.slot(config.kvRank() + config.rope());
        mixed = builder.slot(config.heads() * config.value());
        delta = builder.slot(config.hidden());
        shared = builder.slot(config.hidden());
    }

    Program program(LayerRange layers) {
        if (layers.isFirst()) {
            builder.op(new Op.Embed(matrix("model.embed_tokens.weight", config.vocabulary(), config.hidden()), x));
        }
        for (int layer = layers.first(); layer < layers.end(); layer++) {
            String prefix = "model.layers." + layer;
            attention(prefix);
            norm(x, prefix + ".post_attention_layernorm.weight", normed);
            if (layer < config.firstDense()) {
                mlp(prefix + ".mlp", config.intermediate(), delta);
            } else {
                moe(layer, prefix + ".mlp");
            }
            builder.op(new Op.Add(x, delta, x));
        }
        if (layers.isLast()) {
            norm(x, "model.norm.weight", normed);
            String head = config.tiedEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight";
            builder.op(new Op.Logits(normed, matrix(head, config.vocabulary(), config.hidden())));
        }
        return builder.build(x, x);
    }

    private void attention(String layer) {
        String attention = layer + ".self_attn";
        norm(x, layer + ".input_layernorm.weight", normed);
        queries(attention);
        View latent = compressed.columns(0, config.kvRank());
        View keyRope = compressed.columns(config.kvRank(), config.rope());
        linear(normed, attention + ".kv_a_proj_with_mqa", config.attentionBias(), compressed);
        norm(latent, attention + ".kv_a_layernorm.weight", latent);
        for (int head = 0; head < config.heads(); head++) {
            int from = head * (config.nope() + config.rope()) + config.nope();
            builder.op(new Op.Rotate(q.columns(from, config.rope()), 1, rope));
        }
        builder.op(new Op.Rotate(keyRope, 1, rope));
        var shape = new Weights.LatentShape(config.heads(), config.kvRank(), config.nope(), config.value());
        builder.op(new Op.LatentAttention(
                q,
                latent,
                keyRope,
                builder.weight(attention + ".embed_q.weight", weights.latentKeys(attention, shape)),
                builder.weight(attention + ".unembed_out.weight", weights.latentValues(attention, shape)),
                config.heads(),
                scale(),
                builder.cache(config.cacheWidth()),
                mixed));
        linear(mixed, attention + ".o_proj", config.attentionBias(), delta);
        builder.op(new Op.Add(x, delta, x));
    }

    private void queries(String attention) {
        if (queryLatent == null) {
            linear(normed, attention + ".q_proj", false, q);
            return;
        }
        linear(normed, attention + ".q_a_proj", config.attentionBias(), queryLatent);
        norm(queryLatent, attention + ".q_a_layernorm.weight", queryLatent);
        linear(queryLatent, attention + ".q_b_proj", false, q);
    }

    /** 1 / sqrt(nope + rope), times YaRN's temperature squared: it belongs to queries and keys alike. */
    private float scale() {
        double scale = 1 / Math.sqrt(config.nope() + config.rope());
        if (config.ropeScaling() instanceof RopeScaling.Yarn yarn && yarn.mscaleAllDim() != 0) {
            double mscale = RopeFrequencies.mscale(yarn.factor(), yarn.mscaleAllDim());
            scale *= mscale * mscale;
        }
        return (float) scale;
    }

    private void moe(int layer, String mlp) {
        String gate = mlp + ".gate.weight";
        String bias = mlp + ".gate.e_score_correction_bias";
        builder.op(new Op.Route(
                layer,
                normed,
                matrix(gate, config.experts(), config.hidden()),
                vector(bias, config.experts()),
                router()));
        List<Integer> experts = IntStream.range(0, config.experts()).boxed().toList();
        int width = config.expertIntermediate();
        builder.op(new Op.Experts(
                normed,
                experts,
                experts(mlp, experts, "gate_proj", width, config.hidden()),
                experts(mlp, experts, "up_proj", width, config.hidden()),
                experts(mlp, experts, "down_proj", config.hidden(), width),
                Activation.SILU,
                delta));
        if (config.sharedExperts() > 0) {
            mlp(mlp + ".shared_experts", config.sharedExperts() * width, shared);
            builder.op(new Op.Add(delta, shared, delta));
        }
    }

    private Router router() {
        return new Router(
                config.experts(),
                config.expertsPerToken(),
                Router.Scoring.SIGMOID,
                config.groups(),
                config.topGroups(),
                Router.GroupScore.TOP2_SUM,
                config.normalizeTopK(),
                config.routedScaling());
    }

    private String experts(String mlp, List<Integer> ids, String projection, int rows, int columns) {
        return builder.weight(
                mlp + ".experts." + projection + ".weight",
                weights.experts(mlp + ".experts", ids, projection, rows, columns));
    }

    private void mlp(String mlp, int width, View out) {
        builder.op(new Op.GatedMlp(
                normed,
                matrix(mlp + ".gate_proj.weight", width, config.hidden()),
                matrix(mlp + ".up_proj.weight", width, config.hidden()),
                matrix(mlp + ".down_proj.weight", config.hidden(), width),
                Activation.SILU,
                out));
    }

    private void norm(View in, String weight, View out) {
        builder.op(new Op.RmsNorm(in, vector(weight, in.width()), config.normEps(), 1, out));
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
