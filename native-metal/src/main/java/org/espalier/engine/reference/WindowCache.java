package org.espalier.engine.reference;

import java.util.Arrays;
import org.espalier.program.Cache;

/**
 * The last rows of a session whose attention sees a window: a ring of {@link Cache.Rows#kept} rows. The rows of a running step are kept
 * apart, so that a step of any length can be cancelled.
 */
final class WindowCache implements KvCache {

    private final Cache.Rows cache;
    private final int maxLength;
    private final int kept;
    private float[] ring = new float[0];
    private float[] pending = new float[0];
    private int length;

    WindowCache(Cache.Rows cache, int maxLength) {
        this.cache = cache;
        this.maxLength = maxLength;
        this.kept = cache.kept(maxLength);
        GrowingCache.needed(kept, cache.width());
    }

    @Override
    public void reserve(int end) {
        grow(end);
        pending = Vectors.zeros(end - length, cache.width());
    }

    @Override
    public float[] array(int position) {
        return position < length ? ring : pending;
    }

    @Override
    public int offset(int position) {
        return (position < length ? position % kept : position - length) * cache.width();
    }

    @Override
    public int firstSeen(int position) {
        return cache.firstSeen(position);
    }

    @Override
    public void commit(int newLength) {
        for (int position = Math.max(length, newLength - kept); position < newLength; position++) {
            System.arraycopy(pending, offset(position), ring, position % kept * cache.width(), cache.width());
        }
        length = newLength;
        pending = new float[0];
    }

    /** Until the ring wraps around for the first time, row r is at index r. */
    private void grow(int newLength) {
        int needed = Math.min(newLength, kept) * cache.width();
        if (ring.length < needed) {
            ring = Arrays.copyOf(ring, (int) Math.min((long) kept * cache.width(), Math.max(needed, 2L * ring.length)));
        }
    }

    @Override
    public void drop(int newLength) {
        length = newLength;
    }

    @Override
    public KvCache copy(int newLength) {
        WindowCache copy = new WindowCache(cache, maxLength);
        copy.ring = ring.clone();
        copy.length = length;
        copy.drop(newLength);
        return copy;
    }
}
