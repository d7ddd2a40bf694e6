package org.espalier.node.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ConnectOptions;
import picocli.CommandLine.Option;

/** Nodes that a command connects to, and what it shows to them. */
final class ConnectChoice {

    @Option(
            names = "--connect",
            paramLabel = "HOST:PORT",
            split = ",",
            description = "Run on these nodes, in the ring's order; may be given more than once.")
    private List<String> addresses = List.of();

    @Option(
            names = "--certificates",
            paramLabel = "FOLDER",
            description =
                    "With --connect: the client's folder for nodes that listen over TLS; without it ~/.espalier/cluster/client.")
    private Path certificates;

    @Option(
            names = "--secret-file",
            paramLabel = "FILE",
            description = "With --connect: file of mode 600 with the secret of nodes on this machine.")
    private Path secretFile;

    /** @throws EspalierException if something is said of nodes, and none is named */
    boolean isGiven() {
        if (addresses.isEmpty() && (certificates != null || secretFile != null)) {
            throw new EspalierException("--certificates and --secret-file are shown to nodes: add --connect HOST:PORT");
        }
        return !addresses.isEmpty();
    }

    Cluster cluster() {
        return Cluster.of(
                addresses, new ConnectOptions(Optional.ofNullable(certificates), Optional.ofNullable(secretFile)));
    }
}
