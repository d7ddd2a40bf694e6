package org.espalier.transport;

import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.TlsServerCredentials;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.util.Optional;
import org.espalier.EspalierException;

/**
 * Where and how a node listens: in plain text on loopback, or over TLS, to every caller alike.
 *
 * @param host an address of this machine, or of all its networks
 * @param port 0 for any free one
 * @param credentials with certificates: TLS; otherwise plain text, for whoever has the secret if there is one
 * @param advertised where other nodes reach it; empty for wherever the client does
 */
public record Listening(String host, int port, Credentials credentials, Optional<NodeAddress> advertised) {

    /** Of all listeners: gRPC does not say at which a handshake failed. Other refusals are limited for each listener by itself. */
    private static final RefusalLog HANDSHAKES = new RefusalLog();

    /** Any free port of 127.0.0.1, in plain text, for any user of this machine. */
    public static Listening loopback() {
        return new Listening("127.0.0.1", 0, Credentials.NONE, Optional.empty());
    }

    /**
     * Over TLS.
     *
     * @param address HOST:PORT, of this machine or 0.0.0.0 for all its networks
     * @throws EspalierException if it is no address, or the certificates are not a node's
     */
    public static Listening tls(String address, Certificates certificates) {
        NodeAddress bound = NodeAddress.bound(address)
                .orElseThrow(() -> new EspalierException(
                        "'" + address + "' is no address to listen on: write HOST:PORT, for instance 0.0.0.0:50515"));
        return new Listening(
                bound.host(), bound.port(), Credentials.of(certificates.require(Peer.Role.NODE)), Optional.empty());
    }

    public Listening withHost(String address) {
        return new Listening(address, port, credentials, advertised);
    }

    public Listening withPort(int number) {
        return new Listening(host, number, credentials, advertised);
    }

    public Listening with(Secret secret) {
        return new Listening(host, port, credentials.with(secret), advertised);
    }

    public Listening withAdvertised(NodeAddress address) {
        return new Listening(host, port, credentials, Optional.of(address));
    }

    public boolean isTls() {
        return credentials.certificates().isPresent();
    }

    /** What clients connect to, once the port is known. */
    public NodeAddress address(int boundPort) {
        return new NodeAddress(isTls() ? NodeAddress.Mode.TLS : NodeAddress.Mode.PLAIN, host, boundPort);
    }

    /**
     * Checks the node's own side.
     *
     * @param node its name
     * @return what it binds
     * @throws EspalierException if the host is not known, plain text would leave this machine, or the certificate has another name
     */
    public InetSocketAddress check(String node) {
        if (port < 0 || port > 65535) {
            throw new EspalierException("port " + port + " is not a valid port: choose 0 (any free one) to 65535");
        }
        InetAddress address;
        try {
            address = InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new EspalierException(
                    "unknown host " + host + ": serve on 127.0.0.1, or an address of this machine", e);
        }
        if (!isTls() && !address.isLoopbackAddress()) {
            throw new EspalierException(
                    "cannot serve on " + host
                            + " in plain text: `--listen HOST:PORT --certificates FOLDER` serves over TLS, `--port PORT` on loopback");
        }
        credentials
                .certificates()
                .map(Certificates::peer)
                .filter(peer -> !peer.name().equals(node))
                .ifPresent(peer -> {
                    throw new EspalierException("the certificate in "
                            + credentials.certificates().orElseThrow().folder() + " is for node " + peer.name()
                            + ", and this is node " + node
                            + ": leave out `--name`, or make a folder with `espalier-node init --add "
                            + node + "`");
                });
        return new InetSocketAddress(address, port);
    }

    /** The one place that makes server credentials. */
    public ServerCredentials serverCredentials() {
        HandshakeLog.install(HANDSHAKES);
        if (!isTls()) {
            return InsecureServerCredentials.create();
        }
        Certificates own = credentials.certificates().orElseThrow();
        try {
            RefusalLog log = new RefusalLog();
            PeerTrust trust =
                    new PeerTrust(own, (peer, certificate) -> {}, reason -> HandshakeLog.refused(log, reason));
            return TlsServerCredentials.newBuilder()
                    .keyManager(own.keys())
                    .trustManager(trust)
                    .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                    .build();
        } catch (GeneralSecurityException e) {
            throw new EspalierException("cannot use the certificates in " + own.folder() + ": " + e.getMessage(), e);
        }
    }

    /** What is asked of each call. */
    public ServerInterceptor callerCheck(String node) {
        return new CallerCheck(node, credentials, new RefusalLog());
    }
}
