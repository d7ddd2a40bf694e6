package org.espalier.engine.reference;

import java.util.List;
import org.espalier.engine.RouterEdits;

/** KV state of one sequence on this shard. */
final class Session {

    private final int maxLength;
    private final RouterEdits edits;
    private final List<KvCache> caches;
    private int length;

    Session(int maxLength, RouterEdits edits, List<KvCache> caches, int length) {
        this.maxLength = maxLength;
        this.edits = edits;
        this.caches = caches;
        this.length = length;
    }

    int maxLength() {
        return maxLength;
    }

    RouterEdits edits() {
        return edits;
    }

    List<KvCache> caches() {
        return caches;
    }

    int length() {
        return length;
    }

    /** The rows of a finished step belong to the session. */
    void commit(int newLength) {
        caches.forEach(cache -> cache.commit(newLength));
        length = newLength;
    }

    boolean canTruncate(int newLength) {
        return caches.stream().allMatch(cache -> cache.canTruncate(newLength));
    }

    void truncate(int newLength) {
        caches.forEach(cache -> cache.truncate(newLength));
        length = newLength;
    }

    Session fork(int upTo) {
        return new Session(
                maxLength, edits, caches.stream().map(cache -> cache.copy(upTo)).toList(), upTo);
    }
}
