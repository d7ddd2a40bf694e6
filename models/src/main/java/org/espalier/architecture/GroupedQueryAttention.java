package org.espalier.architecture;

import java.util.List;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.architecture.ModelWeights.RowBlocks;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.program.Attention;
import org.espalier.program.Gate;
import org.espalier.program.Linear;
import org.espalier.program.Projection;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.Scale;
import org.espalier.program.View;
import org.espalier.slice.Share;
import org.espalier.slice.Share.Cut;

/**
 * The steps of grouped-query attention, from the normed residual stream to a part of the block: {@link #project}, {@link #rotate}, {@link
 * #attend}, {@link #output}. Architectures put steps of their own between them. Each layer reuses the slots, and begins with its own cut of the
 * heads.
 */
final class GroupedQueryAttention {

    private final Decoder decoder;
    private final GroupedAttentionConfig config;
    private final Rope rope;
    private final View querySlot;
    private final View gateSlot;
    private final View keySlot;
    private final View valueSlot;
    private final View mixedSlot;

    /** The query heads of this node in the layer, H of all. */
    private Cut heads;
    /** The KV heads that they use. */
    private Cut kvHeads;
    /** [T, heads * head width]. */
    private View query;
    /** [T, heads * head width]. */
    private View gate;
    /** [T, kv heads * head width]. */
    private View key;
    /** [T, kv heads * value width]. */
    private View value;
    /** [T, heads * value width]. */
    private View mixed;

    GroupedQueryAttention(Decoder decoder, GroupedAttentionConfig config) {
        this.decoder = decoder;
        this.config = config;
        querySlot = decoder.program.growingSlot();
        gateSlot = decoder.program.growingSlot();
        keySlot = decoder.program.growingSlot();
        valueSlot = decoder.program.growingSlot();
        mixedSlot = decoder.program.growingSlot();
        rope = RopeFrequencies.rope(decoder.weights.ropePairing(Rope.Pairing.HALF), config.positions());
    }

    /**
     * q, k, v = W x.
     *
     * @param name for instance {@code model.layers.3.self_attn}
     */
    void project(String name, Bias bias) {
        if (begin(name)) {
            projectQueryAndKey(name, bias);
            projectValue(name, bias);
        }
    }

    private void projectQueryAndKey(String name, Bias bias) {
        query = decoder.program.view(querySlot, heads.count() * config.headWidth());
        key = decoder.program.view(keySlot, kvHeads.count() * config.headWidth());
        rowSliced(name + ".q_proj", bias, heads, config.heads(), config.headWidth(), query);
        rowSliced(name + ".k_proj", bias, kvHeads, config.kvHeads(), config.headWidth(), key);
    }

    private void projectValue(String name, Bias bias) {
        rowSliced(name + ".v_proj", bias, kvHeads, config.kvHeads(), config.valueWidth(), value);
    }

    /** The same, with each head of v normed by itself, without a weight. */
    void projectWithNormedValues(String name, Bias bias) {
        if (begin(name)) {
            projectQueryAndKey(name, bias);
            projectValue(name, bias);
            decoder.normHeads(value, kvHeads.count(), value);
        }
    }

    /** q, k = W x; v is k as it is before its own norm, each head normed by itself, without a weight. */
    void projectKeysAsValues(String name, Bias bias) {
        if (begin(name)) {
            projectQueryAndKey(name, bias);
            decoder.normHeads(key, kvHeads.count(), value);
        }
    }

    /** Multiplies v by a constant. */
    void scaleValues(float factor) {
        if (!heads.isEmpty()) {
            decoder.program.op(new Scale(value, factor));
        }
    }

    /** All steps of gated attention, whose heads of q and of k are normed. */
    void gatedBlock(int layer, String name) {
        projectGated(name);
        normHeads(name);
        rotate();
        attend(layer);
        gate();
        output(name, Bias.NONE);
    }

    /**
     * q, k, v = W x, with a gate for each column of the output, <a href="https://arxiv.org/abs/2505.06708">Qiu et al. 2025</a>: {@code q_proj} has, head
     * by head, the rows of the query and those of the gate.
     */
    private void projectGated(String name) {
        if (begin(name)) {
            int width = config.headWidth();
            query = decoder.program.view(querySlot, heads.count() * width);
            gate = decoder.program.view(gateSlot, heads.count() * width);
            key = decoder.program.view(keySlot, kvHeads.count() * width);
            headHalves(name + ".q_proj", "query", 0, query);
            headHalves(name + ".q_proj", "gate", width, gate);
            rowSliced(name + ".k_proj", Bias.NONE, kvHeads, config.kvHeads(), width, key);
            projectValue(name, Bias.NONE);
        }
    }

    private void headHalves(String module, String which, int first, View out) {
        int width = config.headWidth();
        String weight = decoder.weights.rows(
                module + ".weight",
                module + "." + which + ".weight",
                new RowBlocks(first, width, 2 * width, config.heads() * 2 * width),
                heads.times(width),
                decoder.normed.width());
        decoder.program.op(new Linear(decoder.normed, Projection.of(weight), out));
    }

    /** Multiplies what attention yields by sigmoid(gate). */
    private void gate() {
        if (!heads.isEmpty()) {
            decoder.program.op(new Gate(gate, Gate.Function.SIGMOID, mixed));
        }
    }

    /**
     * The same, with q and k normed over all heads at once, <a href="https://arxiv.org/abs/2302.05442">Dehghani et al. 2023</a>: every node
     * computes all of them.
     */
    void projectNormed(String name, Bias bias) {
        if (begin(name)) {
            View allQueries = decoder.program.view(querySlot, config.heads() * config.headWidth());
            View allKeys = decoder.program.view(keySlot, config.kvHeads() * config.headWidth());
            decoder.linear(decoder.normed, name + ".q_proj", bias, allQueries);
            decoder.linear(decoder.normed, name + ".k_proj", bias, allKeys);
            projectValue(name, bias);
            decoder.normHeads(allQueries, 1, name + ".q_norm");
            decoder.normHeads(allKeys, 1, name + ".k_norm");
            query = columns(allQueries, heads);
            key = columns(allKeys, kvHeads);
        }
    }

    /** Takes this node's heads of the layer; whether there are any. */
    private boolean begin(String name) {
        Share share = decoder.shares().heads();
        int width = config.valueWidth();
        int group = config.heads() / config.kvHeads();
        int together = config.kvHeads() < decoder.nodes() ? 1 : group; // fewer KV heads than nodes repeat
        Cut columns = decoder.cut(share, name + ".o_proj", config.heads() * width, together * width);
        heads = columns.over(width);
        if (heads.isEmpty()) {
            return false;
        }
        int first = heads.first() / group;
        kvHeads = new Cut(first, (heads.end() - 1) / group + 1 - first);
        value = decoder.program.view(valueSlot, kvHeads.count() * width);
        mixed = decoder.program.view(mixedSlot, heads.count() * width);
        return true;
    }

    private void rowSliced(String module, Bias bias, Cut held, int all, int width, View out) {
        decoder.rowSliced(decoder.normed, module, bias, held.times(width), all * width, out);
    }

    private View columns(View all, Cut held) {
        Cut columns = held.times(config.headWidth());
        return all.columns(columns.first(), columns.count());
    }

    /** Norms each head of q and of k by itself, <a href="https://arxiv.org/abs/2010.04245">Henry et al. 2020</a>. */
    void normHeads(String name) {
        if (!heads.isEmpty()) {
            decoder.normHeads(query, heads.count(), name + ".q_norm");
            decoder.normHeads(key, kvHeads.count(), name + ".k_norm");
        }
    }

    /** Rotates q and k by their positions. */
    void rotate() {
        if (!heads.isEmpty()) {
            decoder.program.op(new Rotate(query, heads.count(), 0, rope));
            decoder.program.op(new Rotate(key, kvHeads.count(), 0, rope));
        }
    }

    /** softmax(scale q k) v over the layer's window. */
    void attend(int layer) {
        if (!heads.isEmpty()) {
            attend(layer, null);
        }
    }

    /**
     * The same with a sink for each head.
     *
     * @param sinks name of a vector [H]
     */
    void attendWithSinks(int layer, String sinks) {
        if (!heads.isEmpty()) {
            attend(layer, decoder.weights.values(sinks, heads, config.heads()));
        }
    }

    private void attend(int layer, String sinks) {
        List<Integer> kvHead =
                Attention.grouped(config.heads(), config.kvHeads()).subList(heads.first(), heads.end());
        int cacheWidth = kvHeads.count() * (config.headWidth() + config.valueWidth());
        decoder.program.op(new Attention(
                query,
                key,
                value,
                kvHead.stream().map(head -> head - kvHeads.first()).toList(),
                config.scale(),
                sinks,
                decoder.program.cache(cacheWidth, config.windows().get(layer)),
                mixed));
    }

    void output(String name, Bias bias) {
        int width = config.valueWidth();
        decoder.columnSliced(
                mixed, name + ".o_proj", bias, decoder.shares().heads(), heads.times(width), config.heads() * width);
    }
}
