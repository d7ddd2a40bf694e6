package org.espalier.node.arch;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.engine.program.Activation;
import org.espalier.engine.program.GatedUnit;
import org.espalier.engine.program.Op;
import org.espalier.engine.program.Program;
import org.espalier.engine.program.Projection;
import org.espalier.engine.program.Rope;
import org.espalier.engine.program.Router;
import org.espalier.engine.program.View;
import org.espalier.model.DeepseekV3Config;
import org.espalier.node.weights.MlaShape;

/**
 * {@code model_type: deepseek_v3}, <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3</a>. The multi-token-prediction layer after the
 * last decoder layer is not part of the program.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>eq. 1 to 5, keys and values from a latent: c_KV, k_R, k_C, v_C</td><td>{@link #latent}, absorbed in {@link #attention}</td></tr>
 *   <tr><td>eq. 6 to 9, queries from a latent: c_Q, q_C, q_R</td><td>{@link #query}</td></tr>
 *   <tr><td>eq. 10 and 11, o and u</td><td>{@link #attention}</td></tr>
 *   <tr><td>eq. 12, shared and routed experts</td><td>{@link #experts}</td></tr>
 *   <tr><td>eq. 13 to 16, sigmoid affinity, bias for the choice only</td><td>{@link #router}</td></tr>
 *   <tr><td>section 4.3, YaRN</td><td>{@link RopeFrequencies}</td></tr>
 * </table>
 */
final class DeepseekV3 implements Architecture {

    /** Of the norms inside the attention: transformers and the published code do not take {@code rms_norm_eps} there. */
    private static final float LATENT_NORM_EPS = 1e-6f;

    private final DeepseekV3Config config;

    DeepseekV3(DeepseekV3Config config) {
        this.config = config;
    }

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config, config.normEps(), checkpoint);
        Heads heads = new Heads(decoder);
        View routed = decoder.program.slot(config.hidden());
        if (layers.embeds()) {
            decoder.embed();
        }
        for (int layer = layers.first(); layer < layers.end(); layer++) {
            String name = "model.layers." + layer;
            decoder.normResidual(name + ".input_layernorm.weight");
            attention(decoder, heads, name + ".self_attn");
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm.weight");
            if (layer < config.firstDense()) {
                decoder.mlp(decoder.normed, name + ".mlp", config.intermediate(), decoder.block);
            } else {
                experts(decoder, layer, name + ".mlp", routed);
            }
            decoder.addBlock();
        }
        if (layers.yieldsLogits()) {
            decoder.logits();
        }
        return decoder.build();
    }

    /** Slots of the attention, used again by each layer. */
    private final class Heads {
        /** [T, query rank], c_Q before and after its norm; null where queries are projected in one step. */
        final View queryLatent;

        final View queryLatentNormed;
        /** [T, H * (nope + rope)], each head q_C then q_R. */
        final View query;
        /** [T, kv rank + rope], c_KV before its norm, then k_R. */
        final View compressed;
        /** [T, kv rank], c_KV. */
        final View latent;
        /** [T, H * value]. */
        final View mixed;

        final Rope rope;

        Heads(Decoder decoder) {
            queryLatent = config.queryRank() == 0 ? null : decoder.program.slot(config.queryRank());
            queryLatentNormed = config.queryRank() == 0 ? null : decoder.program.slot(config.queryRank());
            query = decoder.program.slot(config.heads() * (config.nope() + config.rope()));
            compressed = decoder.program.slot(config.kvRank() + config.rope());
            latent = decoder.program.slot(config.kvRank());
            mixed = decoder.program.slot(config.heads() * config.value());
            rope = RopeFrequencies.rope(
                    decoder.weights.ropePairing(Rope.Pairing.INTERLEAVED),
                    config.rope(),
                    config.ropeTheta(),
                    config.ropeScaling());
        }

        View keyRope() {
            return compressed.columns(config.kvRank(), config.rope());
        }
    }

    /** Multi-head latent attention: only the latent and one turned key for all heads are kept. */
    private void attention(Decoder decoder, Heads heads, String name) {
        query(decoder, heads, name);
        latent(decoder, heads, name);
        MlaShape shape = new MlaShape(config.heads(), config.kvRank(), config.nope(), config.value());
        double scale = RopeFrequencies.softmaxFactor(config.ropeScaling()) / Math.sqrt(config.nope() + config.rope());
        decoder.program.op(new Op.LatentAttention(
                heads.query,
                heads.latent,
                heads.keyRope(),
                decoder.weights.mlaKeyUp(name, shape),
                decoder.weights.mlaValueUp(name, shape),
                config.heads(),
                (float) scale,
                decoder.program.cache(config.cacheWidth()),
                heads.mixed));
        project(decoder, heads.mixed, name + ".o_proj", decoder.block);
    }

    private void query(Decoder decoder, Heads heads, String name) {
        if (heads.queryLatent == null) {
            decoder.linear(decoder.normed, name + ".q_proj", heads.query);
        } else {
            project(decoder, decoder.normed, name + ".q_a_proj", heads.queryLatent);
            decoder.norm(heads.queryLatent, name + ".q_a_layernorm.weight", LATENT_NORM_EPS, heads.queryLatentNormed);
            decoder.linear(heads.queryLatentNormed, name + ".q_b_proj", heads.query);
        }
        decoder.program.op(new Op.Rotate(heads.query, config.heads(), config.nope(), heads.rope));
    }

    private void latent(Decoder decoder, Heads heads, String name) {
        project(decoder, decoder.normed, name + ".kv_a_proj_with_mqa", heads.compressed);
        decoder.norm(
                heads.compressed.columns(0, config.kvRank()),
                name + ".kv_a_layernorm.weight",
                LATENT_NORM_EPS,
                heads.latent);
        decoder.program.op(new Op.Rotate(heads.keyRope(), 1, 0, heads.rope));
    }

    private void project(Decoder decoder, View in, String module, View out) {
        if (config.attentionBias()) {
            decoder.linearWithBias(in, module, out);
        } else {
            decoder.linear(in, module, out);
        }
    }

    /** DeepSeekMoE: the shared experts, which are one wide MLP, and the K that the router chooses. */
    private void experts(Decoder decoder, int layer, String name, View routed) {
        int width = config.expertIntermediate();
        int hidden = config.hidden();
        List<Integer> all = IntStream.range(0, config.experts()).boxed().toList();
        decoder.program
                .op(new Op.Route(
                        layer,
                        decoder.normed,
                        Projection.of(decoder.weights.matrix(name + ".gate.weight", config.experts(), hidden)),
                        decoder.weights.vector(name + ".gate.e_score_correction_bias", config.experts()),
                        router()))
                .op(new Op.Experts(
                        decoder.normed,
                        all,
                        GatedUnit.of(
                                decoder.weights.experts(name + ".experts", all, "gate_proj", width, hidden),
                                decoder.weights.experts(name + ".experts", all, "up_proj", width, hidden),
                                decoder.weights.experts(name + ".experts", all, "down_proj", hidden, width),
                                Activation.SILU),
                        config.sharedExperts() == 0 ? decoder.block : routed));
        if (config.sharedExperts() > 0) {
            decoder.mlp(decoder.normed, name + ".shared_experts", config.sharedExperts() * width, decoder.block);
            decoder.program.op(new Op.Add(decoder.block, routed, decoder.block));
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
}
