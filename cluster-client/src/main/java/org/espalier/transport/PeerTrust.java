package org.espalier.transport;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts peers whose certificate the cluster's own CA issued, as the JDK proves it, names included; says in words why another is refused, and
 * holds a peer to the name that it is known by.
 */
final class PeerTrust extends X509ExtendedTrustManager {

    private final X509ExtendedTrustManager proof;
    private final X509Certificate authority;
    private final Acceptance acceptance;
    private final Consumer<String> refusals;

    /** What is asked of a peer beyond a valid certificate. */
    @FunctionalInterface
    interface Acceptance {
        void check(Peer peer, X509Certificate certificate) throws CertificateException;
    }

    /** @param refusals told why a peer is refused */
    PeerTrust(Certificates own, Acceptance acceptance, Consumer<String> refusals) throws GeneralSecurityException {
        this.proof = own.trust();
        this.authority = own.authority();
        this.acceptance = acceptance;
        this.refusals = refusals;
    }

    @FunctionalInterface
    private interface Proof {
        void check() throws CertificateException;
    }

    private void check(X509Certificate[] chain, Proof proven) throws CertificateException {
        try {
            proven.check();
            Peer peer = ClusterNames.peer(chain[0])
                    .orElseThrow(() -> new CertificateException("its certificate names neither a node nor a client"));
            acceptance.check(peer, chain[0]);
        } catch (CertificateException e) {
            String reason = reason(chain[0], e);
            refusals.accept(reason);
            throw new CertificateException(reason, e);
        }
    }

    private String reason(X509Certificate certificate, CertificateException e) {
        if (has(e, CertificateExpiredException.class)) {
            return "its certificate (" + subject(certificate) + ") expired on "
                    + Certificates.day(certificate.getNotAfter().toInstant());
        }
        if (has(e, CertificateNotYetValidException.class)) {
            return "its certificate (" + subject(certificate) + ") is valid from "
                    + Certificates.day(certificate.getNotBefore().toInstant()) + " on, and this machine's clock says "
                    + Certificates.day(Instant.now());
        }
        if (!isIssuedHere(certificate)) {
            return "its certificate (" + subject(certificate) + ", issued by "
                    + certificate.getIssuerX500Principal().getName() + ") is not of this cluster ("
                    + authority.getSubjectX500Principal().getName() + ")";
        }
        String said = e.getMessage();
        return said != null && said.startsWith("its certificate")
                ? said
                : "its certificate (" + subject(certificate) + ") does not fit: " + said;
    }

    private boolean isIssuedHere(X509Certificate certificate) {
        try {
            certificate.verify(authority.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static boolean has(Throwable e, Class<?> type) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }

    private static String subject(X509Certificate certificate) {
        return certificate.getSubjectX500Principal().getName();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain, () -> proof.checkServerTrusted(chain, authType, engine));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain, () -> proof.checkServerTrusted(chain, authType, socket));
    }

    /** Without the connection there is no name to compare. */
    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("the name of the peer cannot be checked");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain, () -> proof.checkClientTrusted(chain, authType, engine));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain, () -> proof.checkClientTrusted(chain, authType, socket));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain, () -> proof.checkClientTrusted(chain, authType));
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return proof.getAcceptedIssuers();
    }
}
