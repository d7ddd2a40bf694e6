package org.espalier.transport;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;

/**
 * The one place that makes channels to nodes, for clients and for nodes alike: no other address is dialled than {@link NodeAddress} knows,
 * and none without what the caller has to show there.
 */
public final class Channels {

    private final Credentials credentials;

    /** @param credentials what whoever dials shows of itself */
    public Channels(Credentials credentials) {
        this.credentials = credentials;
    }

    /**
     * A channel to a given node and no other; limits and executors are the caller's to set.
     *
     * @param node its name, which its certificate must have
     * @param address as {@link NodeAddress#parse} reads it
     * @throws EspalierException if the address is refused, needs a certificate that is not there, or is plain text where there is one: nobody would
     *     prove a name there
     */
    public ManagedChannelBuilder<?> toNode(String node, String address) {
        NodeAddress parsed = NodeAddress.parse(address);
        if (parsed.mode() == NodeAddress.Mode.PLAIN
                && credentials.certificates().isPresent()) {
            throw new EspalierException("node " + node + " is said to be at " + parsed
                    + ": a node with a certificate dials no plain text, where any user of its machine may listen");
        }
        return parsed.mode() == NodeAddress.Mode.TLS
                ? tls(parsed, PeerIdentity.of(node), "node " + node + " (" + parsed + ")")
                : plain(parsed, "node " + node + " (" + parsed + ")");
    }

    /**
     * A channel to whichever node listens at an address.
     *
     * @param identity learns which one that is
     */
    public ManagedChannelBuilder<?> toAddress(NodeAddress address, PeerIdentity identity) {
        return address.mode() == NodeAddress.Mode.TLS
                ? tls(address, identity, address.toString())
                : plain(address, address.toString());
    }

    private ManagedChannelBuilder<?> plain(NodeAddress address, String where) {
        InetSocketAddress dialled = address.loopback();
        return NettyChannelBuilder.forAddress(dialled, InsecureChannelCredentials.create())
                .proxyDetector(target -> null)
                .intercept(new Calls(where, credentials.secret().map(secret -> secret.proof(dialled))));
    }

    private ManagedChannelBuilder<?> tls(NodeAddress address, PeerIdentity identity, String where) {
        Certificates own = credentials
                .certificates()
                .orElseThrow(() -> new EspalierException("cannot connect to " + where
                        + " without a certificate: name the folder with `--certificates FOLDER`"));
        try {
            PeerTrust trust = new PeerTrust(own, identity::shown, reason -> {});
            var tls = TlsChannelCredentials.newBuilder()
                    .keyManager(own.keys())
                    .trustManager(trust)
                    .build();
            // a literal goes as it is, since a zone (fe80::1%en0) has no place in a target; of a name all addresses are
            // tried
            NettyChannelBuilder builder = isLiteral(address.host())
                    ? NettyChannelBuilder.forAddress(new InetSocketAddress(address.host(), address.port()), tls)
                    : NettyChannelBuilder.forTarget("dns:///" + address.host() + ":" + address.port(), tls);
            return builder.overrideAuthority(identity.authority())
                    .proxyDetector(target -> null)
                    .intercept(new Calls(where, Optional.empty()));
        } catch (GeneralSecurityException e) {
            throw new EspalierException("cannot use the certificates in " + own.folder() + ": " + e.getMessage(), e);
        }
    }

    private static boolean isLiteral(String host) {
        return host.contains(":") || host.matches("[0-9.]+");
    }

    /** Adds what a node asks of its callers, and says why there is no connection where TLS knows. */
    private record Calls(String where, Optional<String> proof) implements ClientInterceptor {
        @Override
        public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
                @Override
                public void start(Listener<A> answers, Metadata headers) {
                    headers.put(Protocol.HEADER, String.valueOf(Protocol.VERSION));
                    proof.ifPresent(shown -> headers.put(Secret.HEADER, shown));
                    super.start(
                            new SimpleForwardingClientCallListener<>(answers) {
                                @Override
                                public void onClose(Status status, Metadata trailers) {
                                    Handshake.reason(status.getCause())
                                            .ifPresent(reason -> FailureStatus.put(
                                                    trailers,
                                                    new Failure(
                                                            "",
                                                            Failure.Kind.REFUSED,
                                                            "no connection to " + where + ": " + reason)));
                                    super.onClose(status, trailers);
                                }
                            },
                            headers);
                }
            };
        }
    }
}
