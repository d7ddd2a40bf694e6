package org.espalier.config;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What every decoder-only transformer's config says.
 *
 * @param layers L, decoder layers; multi-token-prediction layers not counted
 * @param hidden D
 * @param vocabulary V
 * @param context the greatest number of positions, prompt and answer together
 * @param endOfSequence ids that end an answer; {@code eos_token_id}, one or several
 * @param tiedEmbeddings whether the output matrix is the embedding
 * @param normEps {@code rms_norm_eps}
 */
public record Backbone(
        int layers,
        int hidden,
        int vocabulary,
        int context,
        Set<Integer> endOfSequence,
        boolean tiedEmbeddings,
        float normEps) {

    private static final int MAX_LAYERS = 4096;
    private static final String GELU = "gelu_pytorch_tanh";

    /**
     * Sizes are required, although transformers has defaults for them: those are one model's.
     *
     * @param endOfSequence transformers' default for the architecture
     */
    public static Backbone read(ConfigReader config, Set<Integer> endOfSequence) {
        config.only("hidden_act", "silu");
        return read(config, endOfSequence, config.flagOrFalse("tie_word_embeddings"), config.positive("rms_norm_eps"));
    }

    /** Gemma's: the gates' activation has a key of its own, and the embedding is the output matrix where the config does not say otherwise. */
    public static Backbone readGemma(ConfigReader config) {
        config.only("hidden_activation", GELU);
        config.only("hidden_act", GELU);
        return read(config, Set.of(1), config.flagOrTrue("tie_word_embeddings"), config.positive("rms_norm_eps"));
    }

    /** Models whose norms have a default eps in transformers. */
    public static Backbone read(ConfigReader config, Set<Integer> endOfSequence, float normEps) {
        config.only("hidden_act", "silu");
        float eps = config.positive("rms_norm_eps", normEps);
        return read(config, endOfSequence, config.flagOrFalse("tie_word_embeddings"), eps);
    }

    private static Backbone read(ConfigReader config, Set<Integer> endOfSequence, boolean tied, float normEps) {
        return new Backbone(
                config.number("num_hidden_layers", 1, MAX_LAYERS),
                config.size("hidden_size"),
                config.size("vocab_size"),
                config.size("max_position_embeddings"),
                config.ids("eos_token_id", endOfSequence),
                tied,
                normEps);
    }

    /** The indices of all layers, 0 to L - 1. */
    public List<Integer> everyLayer() {
        return layersFrom(0);
    }

    /** The indices of the layers from {@code first} on. */
    public List<Integer> layersFrom(int first) {
        return IntStream.range(first, layers).boxed().toList();
    }
}
