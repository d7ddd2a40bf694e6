package org.espalier.engine.reference;

import org.espalier.program.Cache;

/** What a session keeps for one op. A step's rows belong to the session once they are committed. */
interface SessionCache {

    static SessionCache of(Cache cache, int maxLength) {
        if (cache instanceof Cache.Rows rows) {
            return rows.window() == 0 ? new GrowingCache(rows.width(), maxLength) : new WindowCache(rows, maxLength);
        }
        return new StateCache(((Cache.State) cache).width());
    }

    /** Makes room for a step that brings the rows from the session's length to {@code end}. */
    void reserve(int end);

    /** The session now has {@code length} rows. */
    void commit(int length);

    /** Remembers what cannot be computed from rows, at the present length. */
    default void snapshot() {}

    /** Values of all that is remembered. */
    default long snapshotValues() {
        return 0;
    }

    /** Forgets what was remembered at {@code length}. */
    default void dropSnapshot(int length) {}

    /** Forgets the rows from {@code length} on. */
    void drop(int length);

    /** A copy of the first {@code length} rows, for another session. */
    SessionCache copy(int length);
}
