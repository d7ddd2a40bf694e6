package org.espalier.engine.reference;

import org.espalier.program.Program;

/** KV rows of one session in one layer. Rows of a step are written first and belong to the session once it is committed. */
interface KvCache {

    static KvCache of(Program.Cache cache, int maxLength) {
        return cache.window() == 0 ? new GrowingCache(cache.width(), maxLength) : new WindowCache(cache, maxLength);
    }

    /** Makes room for a step that brings the rows from the session's length to {@code end}. */
    void reserve(int end);

    /** The floats among which row {@code position} lies. */
    float[] array(int position);

    /** Where in {@link #array} row {@code position} begins. */
    int at(int position);

    /** The first row that row {@code position} sees. */
    int firstSeen(int position);

    /** The session now has {@code length} rows. */
    void commit(int length);

    /** Whether a session cut to {@code length} still has every row that its next ones see. */
    boolean canTruncate(int length);

    /** Forgets the rows from {@code length} on. */
    void truncate(int length);

    /** The first {@code length} rows for another session. */
    KvCache copy(int length);
}
