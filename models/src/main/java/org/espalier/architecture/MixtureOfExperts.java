package org.espalier.architecture;

import java.util.List;
import org.espalier.architecture.BlockSum.Kind;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.config.GroupLimit;
import org.espalier.config.RoutedExperts;
import org.espalier.program.Activation;
import org.espalier.program.Experts;
import org.espalier.program.GatedUnit;
import org.espalier.program.Projection;
import org.espalier.program.Route;
import org.espalier.program.Router;
import org.espalier.program.View;
import org.espalier.slice.Share;
import org.espalier.slice.Share.Cut;

/** Routed experts, from the normed residual stream to a part of the block in a slot of their own. Each layer reuses the slot. */
final class MixtureOfExperts {

    /** [T, D], the weighted sum of the chosen experts that this node holds. */
    private final View routed;

    private final Decoder decoder;
    private final RoutedExperts config;
    private final List<Experts.Held> held;
    private int routedLayer;
    /** [T, 1]; null where no expert is gated. */
    private View sharedGate;

    MixtureOfExperts(Decoder decoder, RoutedExperts config) {
        this.decoder = decoder;
        this.config = config;
        this.routed = decoder.program.slot(decoder.normed.width());
        this.held = decoder.experts(config.count());
    }

    /** Softmax over all experts, the K greatest, as in <a href="https://arxiv.org/abs/2401.04088">Mixtral</a>. */
    Router softmaxRouter(boolean normalizeTopK) {
        return new Router(
                config.count(), config.perToken(), Router.Scoring.SOFTMAX, Router.Groups.NONE, normalizeTopK, 1);
    }

    /** Softmax over all experts, of which only those of the best groups can be chosen, <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a>. */
    Router limitedSoftmaxRouter(GroupLimit limit, float scale) {
        Router.Groups groups = new Router.Groups(limit.groups(), limit.kept(), Router.Groups.Score.MAX);
        return new Router(config.count(), config.perToken(), Router.Scoring.SOFTMAX, groups, false, scale);
    }

    /** A sigmoid for each expert, groups scored by their two best, <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3</a> eq. 13 to 16. */
    Router sigmoidRouter(GroupLimit limit, boolean normalizeTopK, float scale) {
        Router.Groups groups = new Router.Groups(limit.groups(), limit.kept(), Router.Groups.Score.TOP2_SUM);
        return new Router(config.count(), config.perToken(), Router.Scoring.SIGMOID, groups, normalizeTopK, scale);
    }

    /**
     * Routes by scores without biases.
     *
     * @param gate for instance {@code model.layers.3.mlp.gate}
     */
    void route(int layer, String gate, Router router) {
        route(layer, decoder.projection(gate, Bias.NONE, config.count(), decoder.normed.width()), null, router);
    }

    /** The same with a bias that counts only in the choice, <a href="https://arxiv.org/abs/2408.15664">Wang et al. 2024</a>. */
    void routeWithCorrection(int layer, String gate, Router router) {
        routeWithCorrection(layer, gate, gate + ".e_score_correction_bias", router);
    }

    /** @param correction name of a vector [E] */
    void routeWithCorrection(int layer, String gate, String correction, Router router) {
        route(
                layer,
                decoder.projection(gate, Bias.NONE, config.count(), decoder.normed.width()),
                decoder.weights.vector(correction, config.count()),
                router);
    }

    /**
     * Routes by scores without biases; each expert's weight is multiplied by a scale of its own.
     *
     * @param scales name of a vector [E]
     */
    void routeWithScales(int layer, String gate, String scales, Router router) {
        route(
                layer,
                decoder.projection(gate, Bias.NONE, config.count(), decoder.normed.width()),
                null,
                decoder.weights.vector(scales, config.count()),
                router);
    }

    /** @param correction name of a weight [1, E], or null */
    void route(int layer, Projection gate, String correction, Router router) {
        route(layer, gate, correction, null, router);
    }

    private void route(int layer, Projection gate, String correction, String scales, Router router) {
        routedLayer = layer;
        decoder.program.op(new Route(layer, decoder.normed, gate, correction, scales, router));
    }

    /**
     * Experts that are SwiGLUs without biases.
     *
     * @param experts for instance {@code model.layers.3.mlp.experts}
     */
    void experts(String experts) {
        experts(experts, Bias.NONE, Activation.SILU);
    }

    /** Without biases. */
    void experts(String experts, Activation activation) {
        experts(experts, Bias.NONE, activation);
    }

    void experts(String experts, Bias bias, Activation activation) {
        boolean whole = decoder.shares().experts().isPresent();
        Share share = whole ? Share.WHOLE : decoder.shares().width();
        Cut cut = decoder.cut(share, experts + ".*.down_proj", config.intermediate(), 1);
        Kind kind = whole ? (held.isEmpty() ? Kind.NOTHING : Kind.TERM) : Decoder.kind(share, cut);
        if (kind != Kind.NOTHING) {
            GatedUnit unit = new GatedUnit(
                    rows(experts + ".*.gate_proj", bias, cut),
                    rows(experts + ".*.up_proj", bias, cut),
                    columns(experts + ".*.down_proj", bias, cut),
                    activation);
            decoder.program.op(new Experts(routedLayer, decoder.normed, held, unit, routed));
        }
        decoder.part(routed, kind);
    }

    private ModelWeights.Held some() {
        return new ModelWeights.Held(held.stream().map(Experts.Held::expert).toList(), config.count());
    }

    private Projection rows(String module, Bias bias, Cut cut) {
        int width = config.intermediate();
        return new Projection(
                decoder.weights.expertRows(module + ".weight", some(), cut, width, decoder.normed.width()),
                bias == Bias.NONE ? null : decoder.weights.expertVectors(module + ".bias", some(), cut, width));
    }

    /** The bias belongs to the first share of the width, and with whole experts to its expert. */
    private Projection columns(String module, Bias bias, Cut cut) {
        int hidden = decoder.normed.width();
        Cut all = new Cut(0, hidden);
        boolean adds = bias == Bias.ADDED && cut.first() == 0;
        return new Projection(
                decoder.weights.expertColumns(module + ".weight", some(), cut, hidden, config.intermediate()),
                adds ? decoder.weights.expertVectors(module + ".bias", some(), all, hidden) : null);
    }

    /**
     * Qwen's shared expert, as a part of the block of which each token takes as much as a gate lets through.
     *
     * @param mlp for instance {@code model.layers.3.mlp}
     * @param width of the expert
     */
    void gatedSharedExpert(String mlp, int width) {
        if (sharedGate == null) {
            sharedGate = decoder.program.slot(1);
        }
        decoder.mlp(mlp + ".shared_expert", width);
        decoder.gatePart(mlp + ".shared_expert_gate", sharedGate, decoder.block);
    }

    /**
     * DeepSeekMoE's shared experts, which are one wide MLP, as a part of the block.
     *
     * @param shared for instance {@code model.layers.3.mlp.shared_experts}
     * @param count how many experts wide it is; may be 0
     */
    void sharedExperts(String shared, int count) {
        if (count > 0) {
            decoder.mlp(shared, count * config.intermediate());
        }
    }
}
