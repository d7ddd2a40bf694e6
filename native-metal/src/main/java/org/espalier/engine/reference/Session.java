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

    void setLength(int newLength) {
        length = newLength;
    }

    Session fork(int upTo) {
        return new Session(
                maxLength, edits, caches.stream().map(cache -> cache.copy(upTo)).toList(), upTo);
    }
}
