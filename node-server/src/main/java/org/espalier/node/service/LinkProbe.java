package org.espalier.node.service;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.failure.FailureStatus;
import org.espalier.transport.Channels;
import org.espalier.transport.NodeAddress;
import org.espalier.v1.EchoRequest;
import org.espalier.v1.ProbeReply;
import org.espalier.v1.ProbeRequest;
import org.espalier.v1.RingGrpc;
import org.espalier.v1.RingGrpc.RingBlockingStub;

/**
 * Measures the way from this node to another, as a ring would go it: at most a second and 8 MB once there is a connection. The best counts,
 * since a JVM that has just started is slow at first, and other nodes probe at the same time.
 */
record LinkProbe(Channels channels) {

    private static final int CONNECT_SECONDS = 2;
    private static final long NANOS = 1_000_000_000L;

    /** Small messages: so many that also a cold JVM has compiled what sends them. */
    private static final int MOST_SMALL = 300;

    private static final long SMALL_NANOS = NANOS / 4;

    /** What was measured, or why the other cannot be reached. */
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
            return measure(channel);
        } catch (StatusRuntimeException e) {
            String where = "node " + request.getNode() + " (" + request.getAddress() + ")";
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

    private static ProbeReply measure(ManagedChannel channel) {
        RingBlockingStub node = RingGrpc.newBlockingStub(channel);
        EchoRequest nothing = EchoRequest.getDefaultInstance();
        echo(node, nothing, CONNECT_SECONDS * NANOS);
        long begin = System.nanoTime();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < MOST_SMALL && (i == 0 || System.nanoTime() - begin < SMALL_NANOS); i++) {
            least = Math.min(least, echo(node, nothing, begin + NANOS - System.nanoTime()));
        }
        long bytesPerSecond = new Throughput(RingGrpc.newFutureStub(channel), begin + NANOS).bytesPerSecond();
        return ProbeReply.newBuilder()
                .setRoundTripMicros(Math.max(1, least / 1000))
                .setBytesPerSecond(bytesPerSecond)
                .build();
    }

    private static long echo(RingBlockingStub node, EchoRequest request, long withinNanos) {
        long begin = System.nanoTime();
        node.withDeadlineAfter(withinNanos, TimeUnit.NANOSECONDS).echo(request);
        return System.nanoTime() - begin;
    }
}
