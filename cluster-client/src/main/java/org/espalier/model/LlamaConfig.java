package org.espalier.model;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * {@code model_type: llama}, <a href="https://arxiv.org/abs/2407.21783">Llama 3</a>.
 *
 * @param heads H
 * @param kvHeads key and value heads; H where {@code num_key_value_heads} is absent
 * @param headWidth {@code head_dim}; D / H where absent
 * @param attentionBias whether q, k, v and o have biases
 * @param mlpBias whether gate, up and down have biases
 */
public record LlamaConfig(
        int layers,
        int hidden,
        int vocabulary,
        int context,
        Set<Integer> endOfSequence,
        boolean tiedEmbeddings,
        int intermediate,
        int heads,
        int kvHeads,
        int headWidth,
        float normEps,
        float ropeTheta,
        RopeScaling ropeScaling,
        boolean attentionBias,
        boolean mlpBias,
        List<String> ignoredKeys)
        implements ModelConfig {

    /** Sizes are required, although transformers has defaults for them: those are one model's. */
    static LlamaConfig read(ConfigReader config) {
        int hidden = config.size("hidden_size");
        int heads = config.number("num_attention_heads", 1, MAX_HEADS);
        int kvHeads = config.has("num_key_value_heads") ? config.number("num_key_value_heads", 1, MAX_HEADS) : heads;
        config.require(heads % kvHeads == 0, "num_key_value_heads", "a divisor of num_attention_heads, " + heads);
        config.require(
                config.has("head_dim") || hidden % heads == 0,
                "hidden_size",
                "a multiple of num_attention_heads, " + heads);
        int headWidth = config.has("head_dim") ? config.number("head_dim", 2, MAX_HEAD_WIDTH) : hidden / heads;
        config.require(headWidth % 2 == 0, "head_dim", "an even number, since rope turns pairs");
        config.only("hidden_act", "silu");
        config.absent("sliding_window");
        config.absent("use_sliding_window");
        config.absent("layer_types");
        RopeReader rope = RopeReader.read(config, Set.of("default", "llama3"));
        if (rope.scaling() instanceof RopeScaling.Divided divided
                && divided.divisors().size() != headWidth / 2) {
            throw new ConfigException("rope_freqs.weight has "
                    + divided.divisors().size() + " values, expected half of head_dim, " + headWidth / 2);
        }
        return new LlamaConfig(
                config.number("num_hidden_layers", 1, MAX_LAYERS),
                hidden,
                config.size("vocab_size"),
                config.size("max_position_embeddings"),
                config.ids("eos_token_id", Set.of(2)),
                config.flag("tie_word_embeddings", false),
                config.size("intermediate_size"),
                heads,
                kvHeads,
                headWidth,
                config.positive("rms_norm_eps"),
                rope.theta(),
                rope.scaling(),
                config.flag("attention_bias", false),
                config.flag("mlp_bias", false),
                config.ignoredKeys(rope));
    }

    @Override
    public String architecture() {
        return "llama";
    }

    @Override
    public int cacheWidth() {
        return 2 * kvHeads * headWidth; // keys and values
    }

    @Override
    public Optional<Moe> moe() {
        return Optional.empty();
    }
}
