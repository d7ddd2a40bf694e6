package org.espalier.node.service;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.espalier.failure.Failure;
import org.espalier.v1.ProbeReply;
import org.espalier.v1.ProbeRequest;

/**
 * What this node has measured, kept for a while, so that clients which connect one after the other, or at once, measure a way once. A node knows
 * of no other what address is its own, so how many it dials for clients is limited.
 */
final class LinkProbes {

    /** A cable that was pulled since is noticed by whoever connects later than that. */
    private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private static final long WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int MOST_KEPT = 64;

    /** A cluster has a handful of nodes, each of which is measured once and again after it was mended. */
    static final int MOST_A_MINUTE = 64;

    private record Way(String node, String address) {}

    private record Measured(CompletableFuture<ProbeReply> reply, long when) {}

    private final String node;
    private final Function<ProbeRequest, ProbeReply> probe;
    private final Map<Way, Measured> kept = new LinkedHashMap<>();
    private long begin = System.nanoTime();
    private int begun;

    LinkProbes(String node, Function<ProbeRequest, ProbeReply> probe) {
        this.node = node;
        this.probe = probe;
    }

    /**
     * What is known, or measured now.
     *
     * @param generating whether this node has better to do than to measure
     * @throws org.espalier.failure.FailureException if that is this node itself, or it was asked for too many
     */
    ProbeReply measure(ProbeRequest request, boolean generating) {
        new Names(node).check("the other node's name", request.getNode());
        new Names(node).check("its address", request.getAddress());
        if (request.getNode().equals(node)) {
            throw new Failure(node, Failure.Kind.INVALID, "node " + node + " has no way to itself to measure")
                    .exception();
        }
        Way way = new Way(request.getNode(), request.getAddress());
        CompletableFuture<ProbeReply> mine = new CompletableFuture<>();
        CompletableFuture<ProbeReply> others;
        synchronized (this) {
            long now = System.nanoTime();
            kept.values().removeIf(measured -> now - measured.when > KEPT_NANOS);
            Measured there = kept.get(way);
            if (there == null && generating) {
                return skipped("node " + node + " generates");
            }
            others = there == null ? null : there.reply;
            if (others == null) {
                count(now);
                kept.put(way, new Measured(mine, now));
                if (kept.size() > MOST_KEPT) {
                    kept.remove(kept.keySet().iterator().next());
                }
            }
        }
        if (others != null) {
            return others.join();
        }
        return measured(way, mine, request);
    }

    private ProbeReply measured(Way way, CompletableFuture<ProbeReply> mine, ProbeRequest request) {
        ProbeReply reply = null;
        try {
            reply = probe.apply(request);
            return reply;
        } finally {
            if (reply == null
                    || !reply.getUnreachable().isEmpty()
                    || !reply.getSkipped().isEmpty()) {
                synchronized (this) { // what is mended, or at leisure, is measured the next time
                    kept.remove(way);
                }
            }
            mine.complete(reply != null ? reply : skipped("node " + node + " failed to measure: its log says why"));
        }
    }

    /** Not measured, though nothing is known to be wrong. */
    static ProbeReply skipped(String why) {
        return ProbeReply.newBuilder().setSkipped(why).build();
    }

    private void count(long now) {
        if (now - begin > WINDOW_NANOS) {
            begin = now;
            begun = 0;
        }
        if (begun == MOST_A_MINUTE) {
            throw new Failure(
                            node,
                            Failure.Kind.EXHAUSTED,
                            "node " + node + " was asked to measure " + MOST_A_MINUTE
                                    + " ways within a minute, and measures no more until it is over")
                    .exception();
        }
        begun++;
    }
}
