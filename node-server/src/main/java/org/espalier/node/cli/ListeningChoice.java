package org.espalier.node.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.transport.Certificates;
import org.espalier.transport.Listening;
import org.espalier.transport.NodeAddress;
import org.espalier.transport.Secret;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** Where {@code serve} listens: in plain text on loopback, or over TLS; one excludes the other. */
final class ListeningChoice {

    private static final int PORT = 50515;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "Port of 127.0.0.1 to listen on in plain text, 50515 without --listen; 0 for any free one.",
            showDefaultValue = Visibility.NEVER)
    private Integer port;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description =
                    "Address of this machine to listen on over TLS, 0.0.0.0 for all its networks. Callers and this node show each other certificates of the cluster's CA.")
    private String listen;

    @Option(
            names = "--certificates",
            paramLabel = "FOLDER",
            description = "With --listen: the folder that `espalier-node init --add NODE` made for this machine.")
    private Path certificates;

    @Option(
            names = "--advertise",
            paramLabel = "HOST:PORT",
            description =
                    "With --listen: where the other nodes reach this one. Without it, wherever the client reaches it.")
    private String advertise;

    @Option(
            names = "--secret-file",
            paramLabel = "FILE",
            description =
                    "With --port: file of mode 600 whose first line callers have to know. Without it any user of this machine may use the node.")
    private Path secretFile;

    /** @throws EspalierException if options exclude or need each other, or a file cannot be used */
    Listening listening() {
        if (listen == null) {
            require(certificates == null, "--certificates is for TLS: add --listen HOST:PORT");
            require(advertise == null, "--advertise is for TLS: add --listen HOST:PORT");
            Listening loopback = Listening.loopback().withPort(port == null ? PORT : port);
            return secretFile == null ? loopback : loopback.with(Secret.read(secretFile));
        }
        require(port == null, "--port is in plain text and --listen over TLS: leave one of them out");
        require(secretFile == null, "--secret-file is for plain text: callers of --listen show certificates");
        require(
                certificates != null,
                "--listen serves over TLS and needs --certificates FOLDER: `espalier-node init --add NODE` makes one");
        Listening tls = Listening.tls(listen, Certificates.read(certificates));
        return advertise == null ? tls : tls.withAdvertised(NodeAddress.tls(advertise));
    }

    /** The certificate's name, where there is one. */
    static Optional<String> name(Listening listening) {
        return listening.credentials().certificates().map(own -> own.peer().name());
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new EspalierException(otherwise);
        }
    }
}
