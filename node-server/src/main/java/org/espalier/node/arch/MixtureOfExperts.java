package org.espalier.node.arch;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.engine.program.Activation;
import org.espalier.engine.program.GatedUnit;
import org.espalier.engine.program.Op;
import org.espalier.engine.program.Projection;
import org.espalier.engine.program.Router;
import org.espalier.engine.program.View;
import org.espalier.model.RoutedExperts;

/** Routed experts, from the normed residual stream to a slot of their own. The slot is used again by each layer. */
final class MixtureOfExperts {

    /** [T, D], the weighted sum of the chosen experts. */
    final View routed;

    private final Decoder decoder;
    private final RoutedExperts config;
    private final List<Integer> held;

    MixtureOfExperts(Decoder decoder, RoutedExperts config) {
        this.decoder = decoder;
        this.config = config;
        this.routed = decoder.program.slot(decoder.normed.width());
        this.held = IntStream.range(0, config.count()).boxed().toList();
    }

    /** Softmax over all experts, the K greatest, as in <a href="https://arxiv.org/abs/2401.04088">Mixtral</a>. */
    Router softmaxRouter(boolean normalizeTopK) {
        return new Router(
                config.count(),
                config.perToken(),
                Router.Scoring.SOFTMAX,
                1,
                1,
                Router.GroupScore.MAX,
                normalizeTopK,
                1);
    }

    /** Scores without biases. @param gate for instance {@code model.layers.3.mlp.gate} */
    void route(int layer, String gate, Router router) {
        route(layer, decoder.projection(gate, Decoder.Bias.NONE, config.count(), decoder.normed.width()), null, router);
    }

    /** The same with a bias that counts in the choice only, <a href="https://arxiv.org/abs/2408.15664">Wang et al. 2024</a>. */
    void routeWithCorrection(int layer, String gate, Router router) {
        route(
                layer,
                decoder.projection(gate, Decoder.Bias.NONE, config.count(), decoder.normed.width()),
                decoder.weights.vector(gate + ".e_score_correction_bias", config.count()),
                router);
    }

    /** @param correction name of a weight [1, E], or null */
    void route(int layer, Projection gate, String correction, Router router) {
        decoder.program.op(new Op.Route(layer, decoder.normed, gate, correction, router));
    }

    /** The names that a checkpoint gives to an expert's projections. */
    record Names(String gate, String up, String down) {
        static final Names PROJ = new Names("gate_proj", "up_proj", "down_proj");
    }

    /** @param experts for instance {@code model.layers.3.mlp.experts} */
    void experts(String experts, Names names) {
        int width = config.intermediate();
        int hidden = decoder.normed.width();
        experts(GatedUnit.of(
                decoder.weights.experts(experts, held, names.gate, width, hidden),
                decoder.weights.experts(experts, held, names.up, width, hidden),
                decoder.weights.experts(experts, held, names.down, hidden, width),
                Activation.SILU));
    }

    void experts(GatedUnit unit) {
        decoder.program.op(new Op.Experts(decoder.normed, held, unit, routed));
    }

    /** The block is the routed experts and nothing else. */
    void addToResidual() {
        decoder.program.op(new Op.Add(decoder.residual, routed, decoder.residual));
    }

    /** The block is what stands there, the shared experts, and the routed ones. */
    void addToBlock() {
        decoder.program.op(new Op.Add(decoder.block, routed, decoder.block));
    }
}
