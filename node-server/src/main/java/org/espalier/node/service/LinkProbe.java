package org.espalier.node.service;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.espalier.EspalierException;
import org.espalier.failure.FailureStatus;
import org.espalier.transport.Channels;
import org.espalier.transport.NodeAddress;
import org.espalier.v1.EchoReply;
import org.espalier.v1.EchoRequest;
import org.espalier.v1.ProbeReply;
import org.espalier.v1.ProbeRequest;
import org.espalier.v1.RingGrpc;
import org.espalier.v1.RingGrpc.RingBlockingStub;

/**
 * Measures the way from this node to another, as a ring would go it: at most a second and 8 MB once there is a connection. The best counts,
 * since a JVM that has just started is slow at first, and other nodes probe at the same time. Where one of the two generates, it ends at once.
 *
 * @param generating whether this node does
 */
record LinkProbe(Channels channels, BooleanSupplier generating) {

    private static final int CONNECT_SECONDS = 2;
    private static final long NANOS = 1_000_000_000L;

    /** Small messages: so many that also a cold JVM has compiled what sends them. */
    private static final int MOST_SMALL = 300;

    private static final long SMALL_NANOS = NANOS / 4;

    /** What was measured, or why it was not: the other cannot be reached, has better to do, or takes too long. */
    ProbeReply measure(ProbeRequest request) {
        ManagedChannel channel = null;
        try {
            NodeAddress address = NodeAddress.parse(request.getAddress());
            if (address.mode() != NodeAddress.Mode.TLS) {
                return unreachable(
                        "there is no way to measure to " + address + ": nodes of several machines speak TLS");
            }
            channel = channels.toNode(request.getNode(), address.toString())
                    .directExecutor()
                    .build();
            return measure(request.getNode(), channel);
        } catch (StatusRuntimeException e) {
            String where = "node " + request.getNode() + " (" + request.getAddress() + ")";
            if (e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED) {
                return channel.getState(false) == ConnectivityState.READY
                        ? LinkProbes.skipped(where + " did not answer in time")
                        : unreachable("no connection within " + CONNECT_SECONDS + " s to " + where);
            }
            return unreachable(
                    nobody(e)
                            ? "nothing answers at the address of " + where
                            : FailureStatus.read(e, request.getNode(), where).message());
        } catch (EspalierException e) {
            return unreachable(e.what());
        } finally {
            if (channel != null) {
                channel.shutdownNow();
            }
        }
    }

    private static boolean nobody(StatusRuntimeException error) {
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof ConnectException || cause instanceof NoRouteToHostException) {
                return true;
            }
        }
        return false;
    }

    private static ProbeReply unreachable(String why) {
        return ProbeReply.newBuilder().setUnreachable(why).build();
    }

    private ProbeReply measure(String other, ManagedChannel channel) {
        RingBlockingStub node = RingGrpc.newBlockingStub(channel);
        boolean otherGenerates = echo(node, CONNECT_SECONDS * NANOS).getGenerating();
        long begin = System.nanoTime();
        long end = begin + NANOS;
        long least = Long.MAX_VALUE;
        for (int i = 0; i < MOST_SMALL && (i == 0 || System.nanoTime() - begin < SMALL_NANOS); i++) {
            if (otherGenerates || generating.getAsBoolean()) {
                return LinkProbes.skipped(otherGenerates ? "node " + other + " generates" : "it generates now");
            }
            long sent = System.nanoTime();
            otherGenerates = echo(node, end - sent).getGenerating();
            least = Math.min(least, System.nanoTime() - sent);
        }
        long bytesPerSecond = new Throughput(RingGrpc.newFutureStub(channel), end).bytesPerSecond();
        return ProbeReply.newBuilder()
                .setRoundTripMicros(Math.max(1, least / 1000))
                .setBytesPerSecond(bytesPerSecond)
                .build();
    }

    private static EchoReply echo(RingBlockingStub node, long withinNanos) {
        return node.withDeadlineAfter(withinNanos, TimeUnit.NANOSECONDS).echo(EchoRequest.getDefaultInstance());
    }
}
