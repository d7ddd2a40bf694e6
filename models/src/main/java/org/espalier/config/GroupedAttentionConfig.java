package org.espalier.config;

import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * Grouped-query attention, <a href="https://arxiv.org/abs/2305.13245">Ainslie et al. 2023</a>.
 *
 * @param heads H
 * @param kvHeads key and value heads; H where {@code num_key_value_heads} is absent
 * @param headWidth {@code head_dim}
 * @param valueWidth of a value head
 * @param scale what q k is multiplied by
 * @param positions rotary, of the first columns of each head
 * @param windows for each layer the positions that a token sees, itself among them; 0 for all
 */
public record GroupedAttentionConfig(
        int heads, int kvHeads, int headWidth, int valueWidth, float scale, Positions positions, List<Integer> windows)
        implements AttentionConfig {

    private static final float THETA = 10_000; // transformers' RotaryEmbeddingConfigMixin.default_theta

    public GroupedAttentionConfig {
        windows = List.copyOf(windows);
    }

    /** As wide values as keys, and 1 / sqrt(width) as scale, <a href="https://arxiv.org/abs/1706.03762">Vaswani et al. 2017</a>. */
    private static GroupedAttentionConfig usual(
            int heads, int kvHeads, int width, Positions positions, List<Integer> windows) {
        return of(new Heads(heads, kvHeads, width, width), (float) (1 / Math.sqrt(width)), positions, windows);
    }

    public static GroupedAttentionConfig of(Heads heads, float scale, Positions positions, List<Integer> windows) {
        return new GroupedAttentionConfig(
                heads.query(), heads.kv(), heads.width(), heads.valueWidth(), scale, positions, windows);
    }

    /** With transformers' defaults: heads of width D / H, all of whose columns rotate. */
    public static GroupedAttentionConfig read(ConfigReader config, Backbone backbone) {
        return read(config, backbone, new Defaults(0, THETA, 1), fullAttention(backbone));
    }

    public static GroupedAttentionConfig read(ConfigReader config, Backbone backbone, List<Integer> windows) {
        return read(config, backbone, new Defaults(0, THETA, 1), windows);
    }

    /** For an architecture with other defaults than most. */
    public static GroupedAttentionConfig read(
            ConfigReader config, Backbone backbone, Defaults defaults, List<Integer> windows) {
        int heads = config.number("num_attention_heads", 1, Heads.MAX_HEADS);
        int kvHeads =
                config.has("num_key_value_heads") ? config.number("num_key_value_heads", 1, Heads.MAX_HEADS) : heads;
        config.require(heads % kvHeads == 0, "num_key_value_heads", "a divisor of num_attention_heads, " + heads);
        int headWidth = headWidth(config, backbone, heads, defaults.headWidth());
        config.require(headWidth % 2 == 0, "head_dim", "an even number, since rope rotates pairs");
        float part = RopeReader.partialFactor(config, defaults.rotaryPart());
        if (defaults.rotaryPart() == 1 && part != 1) {
            throw config.notSupported("partial_rotary_factor", part, 1);
        }
        int rotated = (int) (headWidth * part);
        config.require(rotated % 2 == 0 && rotated > 0 && rotated <= headWidth, "partial_rotary_factor", "whole pairs");
        Positions positions =
                RopeReader.read(config, rotated, defaults.theta(), Set.of("default", "linear", "llama3", "yarn"));
        return usual(heads, kvHeads, headWidth, positions, windows);
    }

    private static int headWidth(ConfigReader config, Backbone backbone, int heads, int fallback) {
        if (config.has("head_dim")) {
            return config.number("head_dim", 2, Heads.MAX_WIDTH);
        }
        if (fallback > 0) {
            return fallback;
        }
        config.require(backbone.hidden() % heads == 0, "hidden_size", "a multiple of num_attention_heads, " + heads);
        return backbone.hidden() / heads;
    }

    /**
     * What applies if a key is absent.
     *
     * @param headWidth 0 for D / H
     * @param rotaryPart of a head's columns that rotate; 1 where the architecture rotates all whatever the config says
     */
    public record Defaults(int headWidth, float theta, float rotaryPart) {}

    /** Every layer sees all positions. */
    public static List<Integer> fullAttention(Backbone backbone) {
        return Collections.nCopies(backbone.layers(), 0);
    }

    /** The width of keys and values together. */
    @Override
    public int cacheWidth() {
        return kvHeads * (headWidth + valueWidth);
    }
}
