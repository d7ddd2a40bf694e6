package org.espalier.engine.reference;

import java.util.Arrays;
import org.espalier.program.Program;

/**
 * The last rows of a session whose attention sees a window: a ring of {@link Program.Cache#rows} rows. The rows of a running step lie
 * apart, so that a step of any length can be cancelled.
 */
final class WindowCache implements KvCache {

    private final Program.Cache cache;
    private final int maxLength;
    private final int kept;
    private float[] ring = new float[0];
    private float[] pending = new float[0];
    private int length;
    /** The oldest row that the ring still has. */
    private int oldest;

    WindowCache(Program.Cache cache, int maxLength) {
        this.cache = cache;
        this.maxLength = maxLength;
        this.kept = cache.rows(maxLength);
    }

    @Override
    public void reserve(int end) {
        pending = Vectors.zeros(end - length, cache.width());
    }

    @Override
    public float[] array(int position) {
        return position < length ? ring : pending;
    }

    @Override
    public int at(int position) {
        return (position < length ? position % kept : position - length) * cache.width();
    }

    @Override
    public int firstSeen(int position) {
        return Math.max(0, position - cache.window() + 1);
    }

    @Override
    public void commit(int newLength) {
        grow(newLength);
        for (int position = Math.max(length, newLength - kept); position < newLength; position++) {
            System.arraycopy(pending, at(position), ring, position % kept * cache.width(), cache.width());
        }
        oldest = Math.max(oldest, newLength - kept);
        length = newLength;
        pending = new float[0];
    }

    /** Before the ring first closes, row and place are the same. */
    private void grow(int newLength) {
        int needed = Math.min(newLength, kept) * cache.width();
        if (ring.length < needed) {
            ring = Arrays.copyOf(ring, Math.min(kept * cache.width(), Math.max(needed, 2 * ring.length)));
        }
    }

    @Override
    public boolean canTruncate(int newLength) {
        return firstSeen(newLength) >= Math.min(oldest, newLength);
    }

    @Override
    public void truncate(int newLength) {
        length = newLength;
        oldest = Math.min(oldest, newLength);
    }

    @Override
    public KvCache copy(int newLength) {
        WindowCache copy = new WindowCache(cache, maxLength);
        copy.ring = ring.clone();
        copy.length = length;
        copy.oldest = oldest;
        copy.truncate(newLength);
        return copy;
    }
}
