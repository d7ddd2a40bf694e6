package org.espalier.tokenizer;

import java.util.Arrays;

/**
 * Turns ids that arrive one by one into text that can be shown at once: the pieces joined are the decoded whole, and no piece ends in
 * half a character. Only a window of the last few ids is decoded again for each new one, so a token's cost does not grow with the
 * text. The pieces are those of {@code DecodeStream} in Hugging Face tokenizers.
 *
 * <p>Not safe for use from several threads; one per sequence.
 */
public final class StreamingDetokenizer {

    private static final char REPLACEMENT = '\uFFFD';

    /**
     * An unfinished character has at most 3 of its 4 bytes, hence spans at most 3 ids. If this many ids in a row end in U+FFFD the
     * model writes bytes that are not text; all but the last mark are released so that the window stays small.
     */
    private static final int MAX_HELD = 16;

    private final Tokenizer tokenizer;
    private final SpecialTokens specialTokens;

    /** Ids whose decoding starts with {@link #released}; the first {@link #context} of them are fully released. */
    private int[] window = {};

    private int context;
    private String released = "";

    public StreamingDetokenizer(Tokenizer tokenizer, SpecialTokens specialTokens) {
        this.tokenizer = tokenizer;
        this.specialTokens = specialTokens;
    }

    /** The text that this id completes; empty while a character is unfinished. */
    public String push(int id) {
        window = Arrays.copyOf(window, window.length + 1);
        window[window.length - 1] = id;
        String text = text();
        boolean unfinished = !text.isEmpty() && text.charAt(text.length() - 1) == REPLACEMENT;
        if (unfinished && window.length - context < MAX_HELD) {
            return "";
        }
        String whole = unfinished ? text.substring(0, text.length() - 1) : text;
        if (whole.length() <= released.length()) {
            forgetSilentId(text);
            return "";
        }
        String piece = whole.substring(released.length());
        slide(unfinished ? 1 : 0);
        return piece;
    }

    /** What is held back: the start of a character that never came, as U+FFFD; empty if there is none. Starts afresh. */
    public String finish() {
        String text = text();
        String rest = text.length() > released.length() ? text.substring(released.length()) : "";
        window = new int[] {};
        context = 0;
        released = "";
        return rest;
    }

    /**
     * The window's text, which starts with what was released. Only where bytes are tokens of their own it may not: a broken byte after
     * a whole character turns both into U+FFFD, and then the ids after the release are decoded alone.
     */
    private String text() {
        String text = tokenizer.decode(window, specialTokens);
        return text.startsWith(released)
                ? text
                : released + tokenizer.decode(Arrays.copyOfRange(window, context, window.length), specialTokens);
    }

    /**
     * An id that adds no text, such as a skipped special token, need not be decoded again; but a space at the very start, which is
     * silent only because it is the first, counts.
     */
    private void forgetSilentId(String text) {
        if (window.length - 1 == context && text.equals(released) && (context > 0 || silentTwice(window[0]))) {
            window = Arrays.copyOf(window, context);
        }
    }

    private boolean silentTwice(int id) {
        return tokenizer.decode(new int[] {id, id}, specialTokens).isEmpty();
    }

    /** Keeps as context the ids since the last release; they decode alike with or without those before them. */
    private void slide(int heldChars) {
        window = Arrays.copyOfRange(window, context, window.length);
        context = window.length - heldChars;
        String text = tokenizer.decode(window, specialTokens);
        released = text.substring(0, Math.max(0, text.length() - heldChars));
    }
}
