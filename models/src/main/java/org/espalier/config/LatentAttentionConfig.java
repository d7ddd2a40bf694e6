package org.espalier.config;

import java.util.List;
import java.util.Set;

/**
 * Multi-head latent attention, <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a> section 2.1.
 *
 * @param heads H
 * @param queryRank {@code q_lora_rank}; 0 where null: queries are projected in one step
 * @param kvRank {@code kv_lora_rank}, width of the cached latent
 * @param nope {@code qk_nope_head_dim}
 * @param value {@code v_head_dim}
 * @param bias whether q_a, kv_a and o have biases
 * @param positions rotary, of {@code qk_rope_head_dim} columns
 */
public record LatentAttentionConfig(
        int heads, int queryRank, int kvRank, int nope, int value, boolean bias, Positions positions)
        implements AttentionConfig {

    public static LatentAttentionConfig read(ConfigReader config) {
        config.absent("sliding_window");
        config.absent("use_sliding_window");
        config.absent("layer_types");
        config.absent("index_topk"); // DeepSeek V3.2's sparse attention
        return readAny(config);
    }

    /** Of models whose attention sees rows that an {@linkplain IndexerConfig indexer} chooses. */
    public static LatentAttentionConfig readIndexed(ConfigReader config) {
        config.absent("sliding_window");
        config.absent("use_sliding_window");
        if (config.has("layer_types")) {
            config.texts("layer_types", List.of("indexed_attention"));
        }
        return readAny(config);
    }

    private static LatentAttentionConfig readAny(ConfigReader config) {
        config.onlyTrue("rope_interleave");
        float part = RopeReader.partialFactor(config, 1);
        if (part != 1) {
            throw config.notSupported("partial_rotary_factor", part, 1);
        }
        int rope = config.number("qk_rope_head_dim", 2, Heads.MAX_WIDTH);
        config.require(rope % 2 == 0, "qk_rope_head_dim", "an even number, since rope rotates pairs");
        return new LatentAttentionConfig(
                config.number("num_attention_heads", 1, Heads.MAX_HEADS),
                config.size("q_lora_rank", 0),
                config.size("kv_lora_rank"),
                config.number("qk_nope_head_dim", 1, Heads.MAX_WIDTH),
                config.number("v_head_dim", 1, Heads.MAX_WIDTH),
                config.flagOrFalse("attention_bias"),
                RopeReader.read(config, rope, 10_000, Set.of("default", "yarn")));
    }

    /** Columns of a head that carry the position. */
    public int rope() {
        return positions.dimensions();
    }

    /** The width of the latent and the shared rope key. */
    @Override
    public int cacheWidth() {
        return kvRank + rope();
    }
}
