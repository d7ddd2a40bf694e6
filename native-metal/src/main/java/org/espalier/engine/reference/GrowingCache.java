package org.espalier.engine.reference;

import java.util.Arrays;
import org.espalier.engine.EngineException;

/** All rows, [length][width]; grows as the session does. Rows beyond the session's length are overwritten by its next step. */
final class GrowingCache implements KvCache {

    /** Floats that one array can hold; some virtual machines keep a few words of it for themselves. */
    private static final long MAX_FLOATS = Integer.MAX_VALUE - 8;

    private final int width;
    private final int maxLength;
    private float[] rows = new float[0];

    GrowingCache(int width, int maxLength) {
        this.width = width;
        this.maxLength = maxLength;
    }

    /**
     * Floats of so many rows.
     *
     * @throws EngineException if they do not fit one array
     */
    static long needed(int rows, int width) {
        long needed = (long) rows * width;
        if (needed > MAX_FLOATS) {
            throw new EngineException("a KV cache of " + rows + " rows x " + width + " needs " + needed
                    + " floats, the reference engine keeps at most " + MAX_FLOATS + " a layer: use a shorter session");
        }
        return needed;
    }

    @Override
    public void reserve(int end) {
        long needed = needed(end, width);
        if (rows.length < needed) {
            long doubled = Math.max(needed, 2L * rows.length);
            rows = Arrays.copyOf(rows, (int) Math.min(MAX_FLOATS, Math.min((long) maxLength * width, doubled)));
        }
    }

    @Override
    public float[] array(int position) {
        return rows;
    }

    @Override
    public int offset(int position) {
        return position * width;
    }

    @Override
    public int firstSeen(int position) {
        return 0;
    }

    @Override
    public void commit(int length) {}

    @Override
    public void drop(int length) {}

    @Override
    public KvCache copy(int length) {
        GrowingCache copy = new GrowingCache(width, maxLength);
        copy.rows = Arrays.copyOf(rows, length * width);
        return copy;
    }
}
