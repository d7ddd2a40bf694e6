package org.espalier.config;

/** How tokens attend to each other, and what is cached of each for that. */
public sealed interface AttentionConfig permits GroupedAttentionConfig, LatentAttentionConfig {

    /** H, the number of query heads. */
    int heads();

    /** Rotary position embedding. */
    Positions positions();

    /** Floats of KV state that one token keeps in one layer. */
    int cacheWidth();
}
