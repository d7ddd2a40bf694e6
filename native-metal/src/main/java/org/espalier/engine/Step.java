package org.espalier.engine;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * The rows of one call: several sessions' next tokens, chunks of a prefill or drafted tokens to verify alike.
 *
 * @param entries the sessions, no session twice; their rows follow each other in this order
 * @param activations [T, D] in the precision of the run, little-endian, or null where the program embeds tokens itself
 * @param routing whether the result shall hold the routing decisions
 * @param lastHidden whether the result shall hold the hidden state before the final norm, for multi-token prediction
 */
public record Step(List<Entry> entries, ByteBuffer activations, boolean routing, boolean lastHidden) {

    public Step {
        entries = List.copyOf(entries);
    }

    /** T, the rows of all entries. */
    public int rows() {
        return entries.stream().mapToInt(Entry::rows).sum();
    }

    /** Which of an entry's rows get logits. */
    public enum Logits {
        NONE,
        LAST,
        ALL
    }

    /**
     * Consecutive rows of one session.
     *
     * @param position of the first row; equals the session's length
     * @param tokens [rows] token ids, or null where activations are given
     */
    public record Entry(long session, int position, int rows, int[] tokens, Logits logits) {

        public static Entry ofTokens(long session, int position, int[] tokens, Logits logits) {
            return new Entry(session, position, tokens.length, tokens, logits);
        }

        public static Entry ofRows(long session, int position, int rows, Logits logits) {
            return new Entry(session, position, rows, null, logits);
        }

        /** How many rows of logits this entry yields. */
        public int logitsRows() {
            return switch (logits) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> rows;
            };
        }
    }
}
