package org.espalier.engine.reference;

import java.util.List;
import org.espalier.engine.RouterEdits;

/** The state of one sequence on this shard. */
final class Session {

    private final int maxLength;
    private final RouterEdits edits;
    private final List<SessionCache> caches;
    /** The token that the last row of logits would choose. */
    private int greedy = -1;

    Session(int maxLength, RouterEdits edits, List<SessionCache> caches) {
        this.maxLength = maxLength;
        this.edits = edits;
        this.caches = caches;
    }

    int maxLength() {
        return maxLength;
    }

    RouterEdits edits() {
        return edits;
    }

    KvCache cache(int index) {
        return (KvCache) caches.get(index);
    }

    StateCache state(int index) {
        return (StateCache) caches.get(index);
    }

    int greedy() {
        return greedy;
    }

    /** Makes room for a step that brings the rows up to {@code end}. */
    void reserve(int end) {
        caches.forEach(cache -> cache.reserve(end));
    }

    /**
     * The rows of a finished step belong to the session.
     *
     * @param lastLogits [V] of its last row, or null
     */
    void commit(int newLength, float[] lastLogits) {
        caches.forEach(cache -> cache.commit(newLength));
        greedy = lastLogits == null ? -1 : Vectors.greatest(lastLogits);
    }

    void snapshot() {
        caches.forEach(SessionCache::snapshot);
    }

    void dropSnapshot(int length) {
        caches.forEach(cache -> cache.dropSnapshot(length));
    }

    /** Values of all its snapshots. */
    long snapshotValues() {
        return caches.stream().mapToLong(SessionCache::snapshotValues).sum();
    }

    void drop(int newLength) {
        caches.forEach(cache -> cache.drop(newLength));
    }

    Session copy(int length) {
        return new Session(
                maxLength,
                edits,
                caches.stream().map(cache -> cache.copy(length)).toList());
    }
}
