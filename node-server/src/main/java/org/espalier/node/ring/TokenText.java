package org.espalier.node.ring;

/** The text of one generation's tokens, for the head's check of stop strings. */
@FunctionalInterface
public interface TokenText {

    /** Adds a token and returns the text that it completes, perhaps empty: a character may need several tokens. */
    String add(int token);
}
