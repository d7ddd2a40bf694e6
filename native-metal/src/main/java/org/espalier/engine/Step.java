package org.espalier.engine;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;

/**
 * The rows of one call: several sessions' next tokens, chunks of a prefill or drafted tokens to verify alike.
 *
 * @param entries the sessions, each at most once; their rows follow each other in this order
 * @param activations [T, D] in the precision of the run, little-endian, or null where the program embeds tokens itself
 * @param wants what the result should hold besides activations or logits
 */
public record Step(List<Entry> entries, ByteBuffer activations, Set<Want> wants) {

    public Step {
        entries = List.copyOf(entries);
        wants = Set.copyOf(wants);
    }

    /** A step of tokens that wants nothing but logits. */
    public static Step of(Entry... entries) {
        return new Step(List.of(entries), null, Set.of());
    }

    /** What a result may hold besides activations or logits. */
    public enum Want {
        /** The routing decisions. */
        ROUTING,
        /** The hidden state before the final norm, for multi-token prediction. */
        LAST_HIDDEN
    }

    /** T, the rows of all entries. */
    public int rows() {
        return entries.stream().mapToInt(Entry::rows).sum();
    }

    public boolean wants(Want want) {
        return wants.contains(want);
    }

    /** Which of an entry's rows get logits. */
    public enum Logits {
        NONE,
        LAST,
        ALL
    }

    /** What the rows of an entry are. */
    public sealed interface Input {

        int rows();

        /** One row for each token id. */
        record Tokens(int[] ids) implements Input {
            @Override
            public int rows() {
                return ids.length;
            }
        }

        /** The next rows of {@link Step#activations}. */
        record Activations(int rows) implements Input {}

        /** One row: the token with the greatest logit in the session's last row of logits, the lowest id of a tie. */
        record Greedy() implements Input {
            @Override
            public int rows() {
                return 1;
            }
        }
    }

    /**
     * Consecutive rows of one session.
     *
     * @param position of the first row; equals the session's length
     */
    public record Entry(long session, int position, Input input, Logits logits) {

        public static Entry ofTokens(long session, int position, int[] tokens, Logits logits) {
            return new Entry(session, position, new Input.Tokens(tokens), logits);
        }

        public static Entry ofRows(long session, int position, int rows, Logits logits) {
            return new Entry(session, position, new Input.Activations(rows), logits);
        }

        public static Entry greedy(long session, int position, Logits logits) {
            return new Entry(session, position, new Input.Greedy(), logits);
        }

        public int rows() {
            return input.rows();
        }

        /** How many rows of logits this entry yields. */
        public int logitsRows() {
            return switch (logits) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> rows();
            };
        }
    }
}
