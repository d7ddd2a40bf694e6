package org.espalier.engine.reference;

import java.util.Arrays;
import org.espalier.engine.EngineException;

/** All rows, [length][width]; grows as the session does. What stands beyond a session's length is overwritten by its next step. */
final class GrowingCache implements KvCache {

    /** Floats that one array can hold; some virtual machines keep a few words of it for themselves. */
    private static final long MOST_FLOATS = Integer.MAX_VALUE - 8;

    private final int width;
    private final int maxLength;
    private float[] rows = new float[0];

    GrowingCache(int width, int maxLength) {
        this.width = width;
        this.maxLength = maxLength;
    }

    @Override
    public void reserve(int end) {
        long needed = (long) end * width;
        if (needed > MOST_FLOATS) {
            throw new EngineException("a KV cache of " + end + " rows x " + width + " needs " + needed
                    + " floats, the reference engine keeps at most " + MOST_FLOATS + " a layer: use a shorter session");
        }
        if (rows.length < needed) {
            long doubled = Math.max(needed, 2L * rows.length);
            rows = Arrays.copyOf(rows, (int) Math.min(MOST_FLOATS, Math.min((long) maxLength * width, doubled)));
        }
    }

    @Override
    public float[] array(int position) {
        return rows;
    }

    @Override
    public int at(int position) {
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
