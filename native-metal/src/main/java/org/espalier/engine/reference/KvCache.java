package org.espalier.engine.reference;

/** KV rows of one session in one layer. Rows of a step are written first. */
interface KvCache extends SessionCache {

    /** The floats among which row {@code position} lies. */
    float[] array(int position);

    /** Where in {@link #array} row {@code position} begins. */
    int at(int position);

    /** The first row that row {@code position} sees. */
    int firstSeen(int position);
}
