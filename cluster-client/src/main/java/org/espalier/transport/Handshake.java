package org.espalier.transport;

import java.security.cert.CertificateException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** Why two sides did not come to speak, in words: of one's own checks, or of what the other side said when it hung up. */
final class Handshake {

    private static final String REFUSED = "it refused the certificate shown to it, and says why on its side";

    /** Alerts of RFC 8446 section 6, as the JDK and OpenSSL spell them within their messages, and what both say of a caller without one. */
    private static final Map<String, String> ALERTS = Map.of(
            "peer_did_not_return_a_certificate", "it showed no certificate",
            "empty client certificate chain", "it showed no certificate",
            "certificate_expired", "it says that the certificate shown to it has expired",
            "certificate_required", "it asks for a certificate and got none",
            "unknown_ca", "it says that the certificate shown to it is not of its cluster",
            "bad_certificate", REFUSED,
            "certificate_unknown", REFUSED,
            "access_denied", REFUSED,
            "internal_error", REFUSED,
            "handshake_failure", "it refused the handshake, and says why on its side");

    /** Netty's for bytes that are no TLS. */
    private static final List<String> PLAIN = List.of("NotSslRecordException");

    /** Netty's for a caller that does not begin as HTTP/2 does, such as one that begins TLS. */
    private static final String NO_PREFACE = "client preface string missing";

    private Handshake() {}

    /** Whether this side found the other's certificate wrong. */
    static boolean isOfACertificate(String reason) {
        return reason.startsWith("its certificate");
    }

    /** The reason within an error; empty if it did not end a handshake. */
    static Optional<String> reason(Throwable error) {
        boolean tls = false;
        String last = "";
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            String said = String.valueOf(cause.getMessage());
            if (PLAIN.contains(cause.getClass().getSimpleName())) {
                return Optional.of("it speaks plain text, expected TLS");
            }
            if (said.contains(NO_PREFACE)) {
                return Optional.of("it does not speak HTTP/2 in plain text, as this node does");
            }
            if (cause instanceof CertificateException && isOfACertificate(said)) {
                return Optional.of(said);
            }
            if (cause instanceof SSLException) {
                tls = true;
                last = said;
                String lower = said.toLowerCase(Locale.ROOT);
                for (Map.Entry<String, String> alert : ALERTS.entrySet()) {
                    if (lower.contains(alert.getKey())) {
                        return Optional.of(alert.getValue());
                    }
                }
            }
        }
        return tls ? Optional.of("the TLS handshake failed: " + last) : Optional.empty();
    }
}
