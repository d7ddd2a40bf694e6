package org.espalier.cluster;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.espalier.transport.Certificates;
import org.espalier.transport.Credentials;
import org.espalier.transport.NodeAddress;
import org.espalier.transport.Peer;
import org.espalier.transport.Secret;

/**
 * What a client shows to the nodes that it connects to.
 *
 * @param certificates the client's folder, for nodes that listen over TLS; empty for {@code ~/.espalier/cluster/client}
 * @param secretFile whose first line nodes on loopback ask for; empty if they ask for none
 */
public record ConnectOptions(Optional<Path> certificates, Optional<Path> secretFile) {

    public static ConnectOptions defaults() {
        return new ConnectOptions(Optional.empty(), Optional.empty());
    }

    public ConnectOptions withCertificates(Path folder) {
        return new ConnectOptions(Optional.of(folder), secretFile);
    }

    public ConnectOptions withSecretFile(Path file) {
        return new ConnectOptions(certificates, Optional.of(file));
    }

    /**
     * Reads what is needed for these addresses; the default folder only where one is of TLS.
     *
     * @throws org.espalier.EspalierException if it cannot be read, or is not for clients
     */
    Credentials read(List<NodeAddress> addresses) {
        Credentials read = Credentials.NONE;
        boolean tls = addresses.stream().anyMatch(address -> address.mode() == NodeAddress.Mode.TLS);
        if (tls || certificates.isPresent()) {
            Path folder = certificates.orElseGet(Certificates::defaultClient);
            read = read.with(Certificates.read(folder).require(Peer.Role.CLIENT));
        }
        return secretFile.isPresent() ? read.with(Secret.read(secretFile.get())) : read;
    }
}
