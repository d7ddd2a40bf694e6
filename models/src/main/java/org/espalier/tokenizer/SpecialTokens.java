package org.espalier.tokenizer;

/** What decoding does with special tokens such as an end-of-turn mark. */
public enum SpecialTokens {
    /** Their text is part of the result. */
    KEEP,
    /** They decode to nothing. */
    SKIP
}
