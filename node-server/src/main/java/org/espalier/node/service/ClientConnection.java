package org.espalier.node.service;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.net.SocketAddress;

/** Tells calls by the connection that they came on: what clients share, they share by connection, whatever they call themselves. */
final class ClientConnection implements ServerInterceptor {

    private static final Context.Key<String> PEER = Context.key("peer");

    /** The connection of the call that is being begun on this thread. */
    static String current() {
        return PEER.get();
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        SocketAddress peer = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        return Contexts.interceptCall(Context.current().withValue(PEER, String.valueOf(peer)), call, headers, next);
    }
}
