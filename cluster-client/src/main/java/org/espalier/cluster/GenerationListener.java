package org.espalier.cluster;

/** Follows a generation while it runs, for instance {@code System.out::print}; called from one thread at a time, in order. */
@FunctionalInterface
public interface GenerationListener {

    GenerationListener SILENT = piece -> {};

    /** Its place among the generations that wait, 1 for the one that starts next; told about each second. */
    default void onWaiting(int place) {}

    /** {@code done} of {@code total} rows of the prompt have been computed; first of all 0. */
    default void onPrefill(int done, int total) {}

    /** A new token; its text may come later, once its characters are complete. */
    default void onToken(int token, float logprob) {}

    /** More of the answer's text; never part of a character or of a stop text. */
    void onText(String piece);
}
