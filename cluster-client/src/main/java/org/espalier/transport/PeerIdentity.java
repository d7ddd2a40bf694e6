package org.espalier.transport;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Optional;

/** Who is at the other end of a channel: given, or learned from the first certificate. From then on it is that node and no other. */
public final class PeerIdentity {

    private String node;
    private Instant expires;

    private PeerIdentity(String node) {
        this.node = node;
    }

    /** Whichever node of the cluster answers first. */
    public static PeerIdentity anyNode() {
        return new PeerIdentity(null);
    }

    /** That node and no other. */
    public static PeerIdentity of(String node) {
        return new PeerIdentity(node);
    }

    /** The node's name as its certificate has it; empty before the first handshake, and in plain text. */
    public synchronized Optional<String> node() {
        return Optional.ofNullable(node);
    }

    /** When its certificate expires; empty before the first handshake, and in plain text. */
    public synchronized Optional<Instant> expires() {
        return Optional.ofNullable(expires);
    }

    synchronized void shown(Peer peer, X509Certificate certificate) throws CertificateException {
        if (peer.role() != Peer.Role.NODE) {
            throw new CertificateException("its certificate is a client's, expected a node's");
        }
        if (node != null && !peer.name().equals(node)) {
            throw new CertificateException(
                    "its certificate is for node " + peer.name() + ", expected was node " + node);
        }
        node = peer.name();
        expires = certificate.getNotAfter().toInstant();
    }

    /** The name in its certificate that the JDK asks for. */
    synchronized String authority() {
        return node == null ? ClusterNames.ANY_NODE : ClusterNames.of(node);
    }
}
