package org.espalier.engine.reference;

import java.util.Arrays;

/** KV rows of one session in one layer, [length][width]; grows as the session does. */
final class KvCache {

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
        if (rows.length < length * width) {
            int grown = Math.min(maxLength, Math.max(length, 2 * (rows.length / width)));
            rows = Arrays.copyOf(rows, grown * width);
        }
    }

    KvCache copy(int length) {
        KvCache copy = new KvCache(width);
        copy.rows = Arrays.copyOf(rows, length * width);
        return copy;
    }
}
