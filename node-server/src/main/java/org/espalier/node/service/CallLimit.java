package org.espalier.node.service;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import java.net.SocketAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.RingGrpc;

/**
 * Refuses calls with a sentence: those on a connection beyond the limit, and those beyond a connection's own. HTTP/2 would let the latter wait at
 * their client, which cannot tell that from a node that has stopped. The links of a ring are served beyond the limit too.
 */
final class CallLimit implements ServerInterceptor {

    private static final String LINK = RingGrpc.getLinkMethod().getFullMethodName();

    private final String node;
    private final Limits limits;
    private final Connections connections;

    /** The calls of each connection. */
    private final ConcurrentMap<SocketAddress, Integer> calls = new ConcurrentHashMap<>();

    CallLimit(String node, Limits limits, Connections connections) {
        this.node = node;
        this.limits = limits;
        this.connections = connections;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        SocketAddress peer = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        if (LINK.equals(call.getMethodDescriptor().getFullMethodName())) {
            connections.keep(peer);
        } else if (!connections.serves(peer)) {
            return refuse(
                    call,
                    "node " + node + " has " + limits.of(Limit.CONNECTIONS) + " " + Limit.CONNECTIONS
                            + " already: try again when one has ended");
        }
        if (calls.merge(peer, 1, Integer::sum) > limits.of(Limit.CALLS)) {
            ended(peer);
            return refuse(
                    call,
                    "node " + node + " takes at most " + limits.of(Limit.CALLS) + " " + Limit.CALLS
                            + " at once on one connection: try again when one has ended");
        }
        try {
            return new Counted<>(next.startCall(call, headers), peer);
        } catch (RuntimeException | Error e) {
            ended(peer);
            throw e;
        }
    }

    private <Q, R> ServerCall.Listener<Q> refuse(ServerCall<Q, R> call, String why) {
        StatusRuntimeException refusal = FailureStatus.of(new Failure(node, Failure.Kind.EXHAUSTED, why));
        call.close(refusal.getStatus(), refusal.getTrailers());
        return new ServerCall.Listener<>() {};
    }

    private void ended(SocketAddress peer) {
        calls.computeIfPresent(peer, (key, count) -> count == 1 ? null : count - 1);
    }

    private final class Counted<Q> extends SimpleForwardingServerCallListener<Q> {
        private final SocketAddress peer;
        private final AtomicBoolean over = new AtomicBoolean();

        Counted(ServerCall.Listener<Q> listener, SocketAddress peer) {
            super(listener);
            this.peer = peer;
        }

        private void end() {
            if (over.compareAndSet(false, true)) {
                ended(peer);
            }
        }

        @Override
        public void onCancel() {
            end();
            super.onCancel();
        }

        @Override
        public void onComplete() {
            end();
            super.onComplete();
        }
    }
}
