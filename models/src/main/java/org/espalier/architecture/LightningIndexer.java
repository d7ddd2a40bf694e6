package org.espalier.architecture;

import org.espalier.config.IndexerConfig;
import org.espalier.config.Positions;
import org.espalier.program.LayerNorm;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.SelectRows;
import org.espalier.program.View;

/**
 * The lightning indexer, <a href="https://arxiv.org/abs/2512.02556">DeepSeek-V3.2</a> section 2.1: a small attention of its own, whose scores
 * say which rows the layer's attention sees. Every node of a group computes it whole, so that all choose the same rows. Each layer reuses the
 * slot.
 */
final class LightningIndexer {

    /** Epsilon of the key's norm in transformers and the published code; mlx-lm 0.32 has its layer norm's default, 1e-5. */
    private static final float KEY_NORM_EPS = 1e-6f;

    private final Decoder decoder;
    private final IndexerConfig config;
    private final Rope rope;
    /** [T, H * width], q_I. */
    private final View query;
    /** [T, width], k_I. */
    private final View key;
    /** [T, H], w_I. */
    private final View weights;

    LightningIndexer(Decoder decoder, IndexerConfig config, Positions positions, Rope.Pairing pairing) {
        this.decoder = decoder;
        this.config = config;
        rope = RopeFrequencies.rope(pairing, positions);
        int queries = config.heads() * config.width();
        View all = decoder.program.slot(queries + config.width() + config.heads());
        query = all.columns(0, queries);
        key = all.columns(queries, config.width());
        weights = all.columns(queries + config.width(), config.heads());
    }

    /**
     * Eq. 1 and the choice of the top k rows.
     *
     * @param queryLatent [T, query rank], c_Q of the layer's attention
     * @param name for instance {@code model.layers.3.self_attn.indexer}
     */
    void select(int layer, View queryLatent, String name) {
        decoder.linear(queryLatent, name + ".wq_b", query);
        decoder.linear(decoder.normed, name + ".wk", key);
        decoder.linear(decoder.normed, name + ".weights_proj", weights);
        String norm = decoder.weights.vector(name + ".k_norm.weight", config.width());
        String bias = decoder.weights.vector(name + ".k_norm.bias", config.width());
        decoder.program.op(new LayerNorm(key, norm, bias, KEY_NORM_EPS, key));
        decoder.program.op(new Rotate(query, config.heads(), 0, rope));
        decoder.program.op(new Rotate(key, 1, 0, rope));
        int cache = decoder.program.cache(config.width());
        decoder.program.op(new SelectRows(layer, query, key, weights, config.topK(), cache));
    }
}
