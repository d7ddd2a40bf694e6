package org.espalier.architecture;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.architecture.ModelWeights.RowBlocks;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.config.Backbone;
import org.espalier.config.GatedDeltaConfig;
import org.espalier.config.GatedDeltaConfig.Order;
import org.espalier.program.Gate;
import org.espalier.program.GatedDeltaRule;
import org.espalier.program.Linear;
import org.espalier.program.Projection;
import org.espalier.program.ShortConvolution;
import org.espalier.program.View;
import org.espalier.slice.Share;
import org.espalier.slice.Share.Cut;

/**
 * Gated DeltaNet, <a href="https://arxiv.org/abs/2412.06464">Yang et al. 2024</a> section 3.4, from the normed residual stream to a part of the
 * block: {@link #block}. What it keeps of a session is of one size,
 * however long the session is. Each layer reuses the slots, and begins with its own cut of the heads, a key head with all value heads that use it; where these do not follow each other, every node has
 * all key heads.
 */
final class GatedDeltaNet {

    private final Decoder decoder;
    private final GatedDeltaConfig config;
    private final float eps;
    private final View projectedSlot;
    private final View convolvedSlot;
    private final View gateSlot;
    private final View ratesSlot;
    private final View mixedSlot;

    /** The key heads of this node in the layer. */
    private Cut keyHeads;
    /** The value heads that use them, Hv of all. */
    private Cut valueHeads;
    /** [T, q, k and v of these heads]. */
    private View projected;
    /** [T, Hv * value width], z. */
    private View gate;
    /** [T, Hv], what the decay is computed from. */
    private View decay;
    /** [T, Hv], before its sigmoid. */
    private View beta;
    /** [T, q, k and v of these heads]. */
    private View convolved;
    /** [T, Hv * value width]. */
    private View mixed;

    GatedDeltaNet(Decoder decoder, GatedDeltaConfig config, Backbone backbone) {
        this.decoder = decoder;
        this.config = config;
        this.eps = backbone.normEps();
        projectedSlot = decoder.program.growingSlot();
        convolvedSlot = decoder.program.growingSlot();
        gateSlot = decoder.program.growingSlot();
        ratesSlot = decoder.program.growingSlot();
        mixedSlot = decoder.program.growingSlot();
    }

    /**
     * What the norms' weights of this family are: zero-centred as published; where mlx-lm has converted the model, the filters tell so.
     */
    static NormWeight norms(Checkpoint checkpoint, GatedDeltaConfig config) {
        String filters = "model.layers." + config.layers().get(0) + ".linear_attn.conv1d.weight";
        return ModelWeights.publishedFilters(checkpoint.weight(filters)) ? NormWeight.GAIN_LESS_ONE : NormWeight.GAIN;
    }

    /** All steps of it. */
    void block(String name) {
        project(name);
        convolve(name);
        recur(name);
        output(name);
    }

    /**
     * q, k, v, z, b and a: rows of each kind one after the other, or together for each key head.
     *
     * @param name for instance {@code model.layers.3.linear_attn}
     */
    private void project(String name) {
        if (!begin(name)) {
            return;
        }
        if (decoder.weights.has(name + ".in_proj_qkvz.weight")) {
            int key = config.keyWidth();
            int value = config.group() * config.valueWidth();
            int all = 2 * key + 2 * value;
            grouped(name + ".in_proj_qkvz", "q", new RowBlocks(0, key, all, config.keyHeads() * all), query(projected));
            grouped(name + ".in_proj_qkvz", "k", new RowBlocks(key, key, all, config.keyHeads() * all), key(projected));
            grouped(
                    name + ".in_proj_qkvz",
                    "v",
                    new RowBlocks(2 * key, value, all, config.keyHeads() * all),
                    value(projected));
            grouped(
                    name + ".in_proj_qkvz",
                    "z",
                    new RowBlocks(2 * key + value, value, all, config.keyHeads() * all),
                    gate);
        } else {
            int keys = config.keyHeads() * config.keyWidth();
            int values = config.valueHeads() * config.valueWidth();
            Cut key = keyHeads.times(config.keyWidth());
            Cut value = valueHeads.times(config.valueWidth());
            mixed(name, "q", key, query(projected));
            mixed(name, "k", after(keys, key), key(projected));
            mixed(name, "v", after(2 * keys, value), value(projected));
            decoder.rowSliced(decoder.normed, name + ".in_proj_z", Bias.NONE, value, values, gate);
        }
        if (decoder.weights.has(name + ".in_proj_ba.weight")) {
            int group = config.group();
            grouped(name + ".in_proj_ba", "b", new RowBlocks(0, group, 2 * group, config.keyHeads() * 2 * group), beta);
            grouped(
                    name + ".in_proj_ba",
                    "a",
                    new RowBlocks(group, group, 2 * group, config.keyHeads() * 2 * group),
                    decay);
        } else {
            decoder.rowSliced(decoder.normed, name + ".in_proj_b", Bias.NONE, valueHeads, config.valueHeads(), beta);
            decoder.rowSliced(decoder.normed, name + ".in_proj_a", Bias.NONE, valueHeads, config.valueHeads(), decay);
        }
    }

    private void mixed(String name, String which, Cut cut, View out) {
        int rows = 2 * config.keyHeads() * config.keyWidth() + config.valueHeads() * config.valueWidth();
        String weight = decoder.weights.rows(
                name + ".in_proj_qkv.weight",
                name + ".in_proj_" + which + ".weight",
                cut,
                rows,
                decoder.normed.width());
        decoder.program.op(new Linear(decoder.normed, Projection.of(weight), out));
    }

    private void grouped(String module, String which, RowBlocks blocks, View out) {
        String weight = decoder.weights.rows(
                module + ".weight",
                module + "." + which + ".weight",
                blocks,
                keyHeads.times(blocks.block()),
                decoder.normed.width());
        decoder.program.op(new Linear(decoder.normed, Projection.of(weight), out));
    }

    /** Takes this node's heads of the layer; whether there are any. */
    private boolean begin(String name) {
        Share share = decoder.shares().heads();
        int width = config.valueWidth();
        boolean tiled = config.order() == Order.TILED;
        int together = tiled ? 1 : config.group();
        valueHeads = decoder.cut(share, name + ".out_proj", config.valueHeads() * width, together * width)
                .over(width);
        keyHeads = tiled ? new Cut(0, config.keyHeads()) : valueHeads.over(together);
        if (valueHeads.isEmpty()) {
            return false;
        }
        int channels = 2 * keyHeads.count() * config.keyWidth() + valueHeads.count() * width;
        projected = decoder.program.view(projectedSlot, channels);
        convolved = decoder.program.view(convolvedSlot, channels);
        gate = decoder.program.view(gateSlot, valueHeads.count() * width);
        View rates = decoder.program.view(ratesSlot, 2 * valueHeads.count());
        beta = rates.columns(0, valueHeads.count());
        decay = rates.columns(valueHeads.count(), valueHeads.count());
        mixed = decoder.program.view(mixedSlot, valueHeads.count() * width);
        return true;
    }

    private View query(View all) {
        return all.columns(0, keyHeads.count() * config.keyWidth());
    }

    private View key(View all) {
        int width = keyHeads.count() * config.keyWidth();
        return all.columns(width, width);
    }

    private View value(View all) {
        int before = 2 * keyHeads.count() * config.keyWidth();
        return all.columns(before, all.width() - before);
    }

    private static Cut after(int rows, Cut cut) {
        return new Cut(rows + cut.first(), cut.count());
    }

    /** A short causal convolution of q, k and v, and SiLU. */
    private void convolve(String name) {
        if (valueHeads.isEmpty()) {
            return;
        }
        int keys = config.keyHeads() * config.keyWidth();
        Cut key = keyHeads.times(config.keyWidth());
        Cut value = valueHeads.times(config.valueWidth());
        List<String> filters = List.of(
                filters(name, "q", key),
                filters(name, "k", after(keys, key)),
                filters(name, "v", after(2 * keys, value)));
        int state = decoder.program.state((config.kernel() - 1) * projected.width());
        decoder.program.op(new ShortConvolution(projected, filters, config.kernel(), state, convolved));
    }

    private String filters(String name, String which, Cut cut) {
        int channels = 2 * config.keyHeads() * config.keyWidth() + config.valueHeads() * config.valueWidth();
        return decoder.weights.filters(
                name + ".conv1d.weight", name + ".conv1d." + which + ".weight", cut, channels, config.kernel());
    }

    /** The gated delta rule, eq. 10. */
    private void recur(String name) {
        if (valueHeads.isEmpty()) {
            return;
        }
        View values = value(convolved);
        decoder.program.op(new GatedDeltaRule(
                query(convolved),
                key(convolved),
                values,
                decay,
                beta,
                rate(name),
                decoder.weights.values(name + ".dt_bias", valueHeads, config.valueHeads()),
                config.keyWidth(),
                IntStream.range(valueHeads.first(), valueHeads.end())
                        .mapToObj(this::keyHead)
                        .toList(),
                decoder.program.state(config.keyWidth() * values.width()),
                mixed));
    }

    private GatedDeltaRule.Rate rate(String name) {
        String log = name + ".A_log";
        return decoder.weights.has(log)
                ? new GatedDeltaRule.Rate.Log(decoder.weights.values(log, valueHeads, config.valueHeads()))
                : new GatedDeltaRule.Rate.Negative(
                        decoder.weights.values(name + ".A", valueHeads, config.valueHeads()));
    }

    /** Among this node's. */
    private int keyHead(int valueHead) {
        int of = config.order() == Order.TILED ? valueHead % config.keyHeads() : valueHead / config.group();
        return of - keyHeads.first();
    }

    /** Norms each head, gates it by silu(z), and projects it. */
    private void output(String name) {
        int width = config.valueWidth();
        if (!valueHeads.isEmpty()) {
            decoder.norm(mixed, name + ".norm", eps, valueHeads.count(), NormWeight.GAIN, mixed);
            decoder.program.op(new Gate(gate, Gate.Function.SILU, mixed));
        }
        decoder.columnSliced(
                mixed,
                name + ".out_proj",
                Bias.NONE,
                decoder.shares().heads(),
                valueHeads.times(width),
                config.valueHeads() * width);
    }
}
