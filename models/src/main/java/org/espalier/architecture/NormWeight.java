package org.espalier.architecture;

/** What a norm's weight in a checkpoint is. GGUF files always hold the gain. */
enum NormWeight {
    /** What the normed values are multiplied by. */
    GAIN,
    /** That less one: a zero-centred weight. */
    GAIN_LESS_ONE
}
