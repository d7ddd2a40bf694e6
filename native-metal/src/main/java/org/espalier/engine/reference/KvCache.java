package org.espalier.engine.reference;

/** KV rows of one session in one layer. Rows of a step are written first. */
interface KvCache extends SessionCache {

    /** The array that holds row {@code position}. */
    float[] array(int position);

    /** Index in {@link #array} where row {@code position} begins. */
    int offset(int position);

    /** The first row that row {@code position} sees. */
    int firstSeen(int position);
}
