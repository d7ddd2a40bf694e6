package org.espalier.engine.reference;

/** A state of one size. A step reads {@link #before}, writes {@link #after}, and leaves it as it was when it fails. */
final class StateCache implements SessionCache {

    private float[] before;
    private float[] after;
    private int length;

    StateCache(int width) {
        this.before = new float[width];
        this.after = new float[width];
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
        length = newLength;
    }

    /** Only to its current length, or to nothing. */
    @Override
    public void drop(int newLength) {
        if (newLength != length) {
            before = new float[before.length];
            length = newLength;
        }
    }

    @Override
    public StateCache copy(int newLength) {
        StateCache copy = new StateCache(before.length);
        copy.before = before.clone();
        copy.length = length;
        copy.drop(newLength);
        return copy;
    }
}
