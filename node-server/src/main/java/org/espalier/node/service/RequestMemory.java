package org.espalier.node.service;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that requests take, from their first byte until they are answered: each may be small, but a client can send thousands of them, and
 * leave them unfinished. A connection may have as much as is left for others, and an even share in any case, so that all of them together have at most
 * twice the limit. What was taken stays, however little is left afterwards.
 */
final class RequestMemory {

    /** A call's headers, what gRPC and its handler keep of it, and {@link #OWN_BYTES}. */
    static final int CALL_BYTES = 8192;

    /** A stream's messages after its first take that many of the wire's bytes from what its call has: more than a ping of two long names. */
    static final int OWN_BYTES = 2048;

    /** A token id of two bytes is four in the message and an object of 16 in a list, with a reference to it. */
    static final int HEAP_PER_BYTE = 16;

    /** Each piece of a message is a buffer until the message is whole: so many bytes of the wire take as much. */
    static final int PIECE_BYTES = 8;

    /** Calls have a quarter of the limit, so that small ones still begin when large messages have taken the rest. */
    private static final int CALLS_PART = 4;

    private final long most;
    private final long share;
    private final AtomicLong taken = new AtomicLong();
    private final ConcurrentMap<String, Long> byConnection = new ConcurrentHashMap<>();

    /** @param connections that have an even share each */
    RequestMemory(long most, int connections) {
        this.most = most;
        this.share = most / connections;
    }

    /** For {@link #CALL_BYTES} of each call. */
    static RequestMemory ofCalls(Limits limits) {
        return new RequestMemory(limits.of(Limit.ALL_REQUEST_BYTES) / CALLS_PART, limits.of(Limit.CONNECTIONS));
    }

    /** For what calls are sent. */
    static RequestMemory ofMessages(Limits limits) {
        int all = limits.of(Limit.ALL_REQUEST_BYTES);
        return new RequestMemory(all - all / CALLS_PART, limits.of(Limit.CONNECTIONS));
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
