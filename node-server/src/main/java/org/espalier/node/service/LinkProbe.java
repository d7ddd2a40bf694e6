package org.espalier.node.service;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.failure.FailureStatus;
import org.espalier.transport.Channels;
import org.espalier.v1.EchoRequest;
import org.espalier.v1.ProbeReply;
import org.espalier.v1.ProbeRequest;
import org.espalier.v1.RingGrpc;
import org.espalier.v1.RingGrpc.RingBlockingStub;

/**
 * Measures the way from this node to another, as a ring would go it: at most a second and 8 MB once there is a connection. The best of each
 * counts, since the others waited for something else, such as the probes of other nodes.
 */
record LinkProbe(Channels channels) {

    private static final int CONNECT_SECONDS = 2;
    private static final int SMALL = 7;
    private static final int LARGE = 8;
    private static final int LARGE_BYTES = 1 << 20;
    private static final long NANOS = 1_000_000_000L;

    /** What was measured, or why the other cannot be reached. */
    ProbeReply measure(ProbeRequest request) {
        ManagedChannel channel = null;
        try {
            channel = channels.toNode(request.getNode(), request.getAddress()).build();
            return measure(RingGrpc.newBlockingStub(channel));
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

    private static ProbeReply measure(RingBlockingStub node) {
        echo(node, EchoRequest.getDefaultInstance(), CONNECT_SECONDS * NANOS);
        long end = System.nanoTime() + NANOS;
        long small = Long.MAX_VALUE;
        for (int i = 0; i < SMALL; i++) {
            small = Math.min(small, echo(node, EchoRequest.getDefaultInstance(), end - System.nanoTime()));
        }
        EchoRequest payload = EchoRequest.newBuilder()
                .setPayload(ByteString.copyFrom(new byte[LARGE_BYTES]))
                .build();
        long large = Long.MAX_VALUE;
        for (int i = 0; i < LARGE && (i == 0 || System.nanoTime() + large < end); i++) {
            large = Math.min(large, echo(node, payload, Math.max(NANOS, end - System.nanoTime())));
        }
        return ProbeReply.newBuilder()
                .setRoundTripMicros(Math.max(1, small / 1000))
                .setBytesPerSecond(LARGE_BYTES * NANOS / Math.max(1, large))
                .build();
    }

    private static long echo(RingBlockingStub node, EchoRequest request, long withinNanos) {
        long begin = System.nanoTime();
        node.withDeadlineAfter(withinNanos, TimeUnit.NANOSECONDS).echo(request);
        return System.nanoTime() - begin;
    }
}
