package org.espalier.engine.reference;

import java.util.Arrays;
import org.espalier.engine.EngineException;

/** KV rows of one session in one layer, [length][width]; grows as the session does. */
final class KvCache {

    /** Floats that one array can hold; some virtual machines keep a few words of it for themselves. */
    private static final long MOST_FLOATS = Integer.MAX_VALUE - 8;

    private final int width;
    private float[] rows = new float[0];

    KvCache(int width) {
        this.width = width;
    }

    float[] rows() {
        return rows;
    }

    int at(int position) {
        return position * width;
    }

    /** Makes room for {@code length} rows; what stands beyond a session's length is overwritten by its next step. */
    void reserve(int length, int maxLength) {
        long needed = (long) length * width;
        if (needed > MOST_FLOATS) {
            throw new EngineException("a KV cache of " + length + " rows x " + width + " needs " + needed
                    + " floats, the reference engine keeps at most " + MOST_FLOATS + " a layer: use a shorter session");
        }
        if (rows.length < needed) {
            long doubled = Math.max(needed, 2L * rows.length);
            rows = Arrays.copyOf(rows, (int) Math.min(MOST_FLOATS, Math.min((long) maxLength * width, doubled)));
        }
    }

    KvCache copy(int length) {
        KvCache copy = new KvCache(width);
        copy.rows = Arrays.copyOf(rows, length * width);
        return copy;
    }
}
