package org.espalier.transport;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.espalier.EspalierException;

/** The names that certificates carry. They are no addresses, so that a machine may change its own: callers check them by name alone. */
final class ClusterNames {

    /** In each node's certificate: whoever knows no name yet asks for this one. */
    static final String ANY_NODE = "node.espalier.internal";

    static final String CLIENT = "client.espalier.internal";

    private static final String SUFFIX = "." + ANY_NODE;
    private static final int DNS_NAME = 2; // RFC 5280, GeneralName

    /** A label of RFC 1123, in lower case, since names of folders and nodes tell case apart and those of hosts do not. */
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

    private ClusterNames() {}

    static String of(String node) {
        return requireLabel(node) + SUFFIX;
    }

    /** @throws EspalierException if a node's name cannot be a part of a host's */
    static String requireLabel(String node) {
        if (!LABEL.matcher(node).matches()) {
            throw new EspalierException(
                    "'" + node
                            + "' cannot be a node's name in a certificate: write 1 to 63 of a to z, 0 to 9 and -, neither first nor last a -");
        }
        return node;
    }

    /** Whom a certificate names; empty if it is none of a cluster's. */
    static Optional<Peer> peer(X509Certificate certificate) {
        List<String> names = names(certificate);
        if (names.contains(CLIENT)) {
            return Optional.of(new Peer(Peer.Role.CLIENT, "client"));
        }
        return names.contains(ANY_NODE)
                ? names.stream()
                        .filter(name -> name.endsWith(SUFFIX))
                        .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                        .filter(name -> LABEL.matcher(name).matches())
                        .findFirst()
                        .map(name -> new Peer(Peer.Role.NODE, name))
                : Optional.empty();
    }

    private static List<String> names(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null
                    ? List.of()
                    : names.stream()
                            .filter(name -> name.get(0).equals(DNS_NAME))
                            .map(name -> String.valueOf(name.get(1)))
                            .toList();
        } catch (CertificateParsingException e) {
            return List.of(); // it names nobody
        }
    }
}
