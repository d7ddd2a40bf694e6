package org.espalier.node.service;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that requests take, from their first byte until they are answered: each may be small, but a client can send thousands of them, and
 * leave them unfinished. A connection may have as much as is left for others, and an even share in any case, so that all of them together have at most
 * twice the limit.
 */
final class RequestMemory {

    /** A call's headers, and what gRPC and its handler keep of it. */
    static final int CALL_BYTES = 4096;

    private final long most;
    private final long share;
    private final AtomicLong taken = new AtomicLong();
    private final ConcurrentMap<String, Long> byConnection = new ConcurrentHashMap<>();

    RequestMemory(Limits limits) {
        this.most = limits.of(Limit.ALL_REQUEST_BYTES);
        this.share = most / limits.of(Limit.CONNECTIONS);
    }

    /** Counts bytes until they are {@link #giveBack given back}; false if their connection should not have had them. */
    boolean take(String connection, long bytes) {
        long mine = byConnection.merge(connection, bytes, Long::sum);
        long left = most - taken.addAndGet(bytes);
        return mine <= share || mine <= left;
    }

    void giveBack(String connection, long bytes) {
        taken.addAndGet(-bytes);
        byConnection.computeIfPresent(connection, (key, mine) -> mine == bytes ? null : mine - bytes);
    }

    /** What is counted now. */
    long taken() {
        return taken.get();
    }
}
