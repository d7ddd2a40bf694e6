package org.espalier.config;

/** How tokens look at each other, and what of each is kept for that. */
public sealed interface AttentionConfig permits GroupedAttentionConfig, LatentAttentionConfig {

    /** H. */
    int heads();

    /** Rotary. */
    Positions positions();

    /** Floats of KV state that one token keeps in one layer. */
    int cacheWidth();
}
