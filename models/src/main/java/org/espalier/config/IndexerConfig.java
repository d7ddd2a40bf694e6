package org.espalier.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The lightning indexer of <a href="https://arxiv.org/abs/2512.02556">DeepSeek-V3.2</a>. Its rope is attention's, on the first columns of each
 * index head.
 *
 * @param heads {@code index_n_heads}
 * @param width {@code index_head_dim}
 * @param topK {@code index_topk}
 * @param full for each layer, whether it has an indexer of its own; the others see the rows that the last one before them chose
 */
public record IndexerConfig(int heads, int width, int topK, List<Boolean> full) {

    private static final String TYPES = "indexer_types";
    private static final String PATTERN = "index_topk_pattern";
    private static final String OFFSET = "index_skip_topk_offset";
    private static final String FULL = "full";
    private static final String SHARED = "shared";

    public IndexerConfig {
        full = List.copyOf(full);
    }

    /** With an indexer in every layer. */
    public static IndexerConfig read(ConfigReader config, LatentAttentionConfig attention) {
        config.absent(TYPES);
        config.absent(PATTERN);
        config.only("index_topk_freq", 1);
        return read(
                config,
                attention,
                IntStream.range(0, layers(config)).mapToObj(layer -> true).toList());
    }

    /**
     * With indexers that several layers share, <a href="https://arxiv.org/abs/2603.12201">IndexCache</a>: by {@code indexer_types}, by {@code
     * index_topk_pattern} (such names or a text of F and S), or one in {@code index_topk_freq} layers after the first {@code
     * index_skip_topk_offset}.
     */
    public static IndexerConfig readShared(ConfigReader config, LatentAttentionConfig attention) {
        String key = config.has(TYPES) ? TYPES : config.has(PATTERN) ? PATTERN : OFFSET;
        List<Boolean> full = key.equals(OFFSET) ? byFrequency(config) : byName(config, key);
        config.require(full.size() == layers(config), key, "one for each of " + layers(config) + " layers");
        config.require(full.get(0), key, "an indexer in layer 0, since none before it could be shared");
        return read(config, attention, full);
    }

    private static IndexerConfig read(ConfigReader config, LatentAttentionConfig attention, List<Boolean> full) {
        int rope = attention.rope();
        int width = config.number("index_head_dim", 1, Heads.MAX_WIDTH);
        config.require(width >= rope, "index_head_dim", "at least qk_rope_head_dim, " + rope);
        config.size("q_lora_rank"); // required: index queries come from this latent
        return new IndexerConfig(
                config.number("index_n_heads", 1, Heads.MAX_HEADS), width, config.size("index_topk"), full);
    }

    private static int layers(ConfigReader config) {
        return config.size("num_hidden_layers");
    }

    private static List<Boolean> byName(ConfigReader config, String key) {
        if (config.isText(key)) {
            String pattern = config.text(key, "");
            config.require(pattern.matches("[FS]*"), key, "a text of F and S");
            return pattern.chars().mapToObj(letter -> letter == 'F').toList();
        }
        return config.texts(key, List.of(FULL, SHARED)).stream()
                .map(FULL::equals)
                .toList();
    }

    /** Layers 0 to offset - 1 have one, then every {@code freq}-th; 0 counts as 1. */
    private static List<Boolean> byFrequency(ConfigReader config) {
        int frequency = Math.max(1, config.count("index_topk_freq", 1));
        int offset = config.count(OFFSET, 2);
        List<Boolean> full = new ArrayList<>();
        for (int layer = 0; layer < layers(config); layer++) {
            full.add(Math.max(0, layer - offset + 1) % frequency == 0);
        }
        return full;
    }

    /** The layer whose indexer chooses the rows that {@code layer} sees. */
    public int chooser(int layer) {
        return full.subList(0, layer + 1).lastIndexOf(true);
    }

    /** The layers without an indexer of their own. */
    public Set<Integer> sharing() {
        return IntStream.range(0, full.size())
                .filter(layer -> !full.get(layer))
                .boxed()
                .collect(Collectors.toUnmodifiableSet());
    }
}
