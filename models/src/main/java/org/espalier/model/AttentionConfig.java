package org.espalier.model;

/** How tokens look at each other, and what of each is kept for that. */
public sealed interface AttentionConfig permits GroupedAttention, LatentAttention {

    /** H. */
    int heads();

    /** Floats of KV state that one token keeps in one layer. */
    int cacheWidth();
}
