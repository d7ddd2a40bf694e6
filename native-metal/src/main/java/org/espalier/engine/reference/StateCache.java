package org.espalier.engine.reference;

import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * A state of one size. A step reads {@link #before}, writes {@link #after}, and leaves it as it was when it fails. Nothing writes to a state once it is
 * committed, so that snapshots and copies share it.
 */
final class StateCache implements SessionCache {

    private final int width;
    private final NavigableMap<Integer, float[]> snapshots = new TreeMap<>();
    private float[] before;
    private float[] after;
    private int length;

    StateCache(int width) {
        this.width = width;
        this.before = new float[width];
    }

    /** The state after the rows so far. */
    float[] before() {
        return before;
    }

    /** The state after the rows of the running step; at its start the same as {@link #before}. */
    float[] after() {
        return after;
    }

    @Override
    public void reserve(int end) {
        after = before.clone();
    }

    @Override
    public void commit(int newLength) {
        before = after;
        after = null;
        length = newLength;
    }

    @Override
    public void snapshot() {
        snapshots.put(length, before);
    }

    @Override
    public long snapshotValues() {
        return (long) snapshots.size() * width;
    }

    @Override
    public void dropSnapshot(int at) {
        snapshots.remove(at);
    }

    /** Only to its present length, to a snapshot, or to nothing. */
    @Override
    public void drop(int newLength) {
        before = at(newLength);
        length = newLength;
        snapshots.tailMap(newLength, false).clear();
    }

    private float[] at(int newLength) {
        if (newLength == length) {
            return before;
        }
        return newLength == 0 ? new float[width] : snapshots.get(newLength);
    }

    @Override
    public StateCache copy(int newLength) {
        StateCache copy = new StateCache(width);
        copy.before = at(newLength);
        copy.length = newLength;
        return copy;
    }
}
