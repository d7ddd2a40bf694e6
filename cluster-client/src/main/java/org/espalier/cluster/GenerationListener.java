package org.espalier.cluster;

/** Hears a generation while it runs; called from one thread at a time, in order. */
public interface GenerationListener {

    GenerationListener SILENT = new GenerationListener() {};

    /** So many rows of the prompt are computed. */
    default void onPrefill(int done, int total) {}

    /** A new token; its text may come later, once it is whole characters. */
    default void onToken(int token, float logprob) {}

    /** More of the answer's text; never half a character, never a part of a stop text. */
    default void onText(String piece) {}
}
