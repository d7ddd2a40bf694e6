package org.espalier.transport;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.SocketAddress;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;

/**
 * What a node asks of each call, of whatever service: the secret in plain text, over TLS a certificate of the right kind, and the version of
 * the wire. Whoever is refused hears why, and so does the node's log.
 */
final class CallerCheck implements ServerInterceptor {

    private static final String NODE_SERVICE = "espalier.v1.Node";
    private static final String RING_SERVICE = "espalier.v1.Ring";

    private final String node;
    private final Credentials credentials;
    private final RefusalLog log;

    CallerCheck(String node, Credentials credentials, RefusalLog log) {
        this.node = node;
        this.credentials = credentials;
        this.log = log;
    }

    /** A call that is not let in. */
    private record Refusal(Status.Code code, String why) {}

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        Optional<Peer> caller = caller(call.getAttributes());
        Optional<Refusal> refusal = stranger(caller, call.getAttributes().get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR), headers)
                .or(() -> caller.flatMap(peer -> wrongRole(peer, call)))
                .or(() -> otherVersion(headers));
        if (refusal.isPresent()) {
            SocketAddress from = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
            log.say(
                    from,
                    "refused " + caller.map(Peer::toString).orElse("a caller") + " at " + from + ": "
                            + refusal.get().why);
            Failure failure =
                    new Failure(node, Failure.Kind.REFUSED, "node " + node + " refused the call: " + refusal.get().why);
            StatusRuntimeException status = FailureStatus.of(failure, refusal.get().code);
            call.close(status.getStatus(), status.getTrailers());
            return new ServerCall.Listener<>() {};
        }
        Context context = caller.map(peer -> Context.current().withValue(Peer.CALLER, peer))
                .orElseGet(Context::current);
        return Contexts.interceptCall(context, call, headers, next);
    }

    private static Optional<Peer> caller(Attributes attributes) {
        SSLSession session = attributes.get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
        if (session == null) {
            return Optional.empty();
        }
        try {
            Certificate[] chain = session.getPeerCertificates();
            return chain[0] instanceof X509Certificate certificate ? ClusterNames.peer(certificate) : Optional.empty();
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty(); // refused by whoever asks for one
        }
    }

    private Optional<Refusal> stranger(Optional<Peer> caller, SocketAddress here, Metadata headers) {
        if (credentials.certificates().isPresent()) {
            return caller.isPresent()
                    ? Optional.empty()
                    : Optional.of(new Refusal(Status.Code.UNAUTHENTICATED, "it showed no certificate"));
        }
        return credentials
                .secret()
                .filter(secret -> !secret.isProven(headers.get(Secret.HEADER), here))
                .map(secret -> new Refusal(
                        Status.Code.UNAUTHENTICATED,
                        headers.containsKey(Secret.HEADER)
                                ? "its secret is not the node's, or is shown for another port, as behind a tunnel"
                                : "it has not shown the node's secret: name its file with `--secret-file FILE`"));
    }

    private static Optional<Refusal> wrongRole(Peer peer, ServerCall<?, ?> call) {
        String service = call.getMethodDescriptor().getServiceName();
        if (RING_SERVICE.equals(service) && peer.role() != Peer.Role.NODE) {
            return Optional.of(new Refusal(
                    Status.Code.PERMISSION_DENIED, "its certificate is a client's, and a ring is of nodes"));
        }
        if (NODE_SERVICE.equals(service) && peer.role() != Peer.Role.CLIENT) {
            return Optional.of(new Refusal(
                    Status.Code.PERMISSION_DENIED,
                    "its certificate is for node " + peer.name() + ", and only clients give orders"));
        }
        return Optional.empty();
    }

    private static Optional<Refusal> otherVersion(Metadata headers) {
        String version = headers.get(Protocol.HEADER);
        return version == null || version.equals(String.valueOf(Protocol.VERSION))
                ? Optional.empty()
                : Optional.of(new Refusal(
                        Status.Code.FAILED_PRECONDITION,
                        "it speaks version " + version + " of the protocol, this node version " + Protocol.VERSION
                                + ": install the same Espalier on both"));
    }
}
