package org.espalier.program;

/** What a session keeps for one layer between steps. */
public sealed interface Cache {

    /** Values that a session of at most {@code maxLength} rows keeps. */
    long values(int maxLength);

    /**
     * Keys and values of the rows so far.
     *
     * @param width values of a row
     * @param window rows that a row sees, itself among them; 0 where it sees all before it
     */
    record Rows(int width, int window) implements Cache {

        /** Rows that a windowed cache keeps beyond its window, so that up to this many rows can be truncated exactly. */
        public static final int SPARE = 64;

        public Rows {
            if (width <= 0 || window < 0) {
                throw new IllegalArgumentException("not a valid cache: width " + width + ", window " + window);
            }
        }

        /** Rows that it keeps for a session of at most {@code maxLength} rows. */
        public int kept(int maxLength) {
            return window == 0 ? maxLength : (int) Math.min(maxLength, (long) window + SPARE);
        }

        /** The first row that row {@code position} sees. */
        public int firstSeen(int position) {
            return window == 0 ? 0 : Math.max(0, position - window + 1);
        }

        /** How many of {@code context} rows the last one sees. */
        public int seen(int context) {
            return window == 0 ? context : Math.min(context, window);
        }

        @Override
        public long values(int maxLength) {
            return (long) width * kept(maxLength);
        }
    }

    /**
     * A state of one size however long the session is (linear attention, convolutions). Earlier rows cannot be taken out of it again: it is truncated
     * to nothing, or to a length at which a snapshot of it was taken. A step that fails leaves it unchanged.
     *
     * @param width values
     */
    record State(int width) implements Cache {

        /** The most snapshots that a session keeps, each as large as its states. */
        public static final int SNAPSHOTS = 8;

        public State {
            if (width <= 0) {
                throw new IllegalArgumentException("not a valid state: " + width + " values");
            }
        }

        @Override
        public long values(int maxLength) {
            return width;
        }
    }
}
