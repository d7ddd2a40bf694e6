package org.espalier.node.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.model.ModelCatalogue;
import org.espalier.node.service.Limit;
import org.espalier.node.service.Limits;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.node.shard.Engines;
import org.espalier.transport.Credentials;
import org.espalier.transport.Listening;
import org.espalier.transport.Secret;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "serve",
        description = "Serves shards of models until it is stopped.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class ServeCommand implements Callable<Integer> {

    /** No line is longer. */
    private static final int MOST_SECRET = 1000;

    private CommandSpec spec;

    @Mixin
    private ListeningChoice listening;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description =
                    "The node's name, unique in its cluster; without it the certificate's, otherwise this machine's name.")
    private String name;

    @Option(
            names = "--models",
            paramLabel = "DIR",
            description =
                    "Folder that models may be read from, no other; may be given more than once. Without it those that every command looks into:"
                            + " ./models and ./notebooks/models, ESPALIER_MODELS, ~/.espalier/models, the Hugging Face hub cache"
                            + " and the program's own models.",
            showDefaultValue = Visibility.NEVER)
    private List<Path> models = List.of();

    @Option(
            names = "--engine",
            paramLabel = "E",
            defaultValue = "",
            description = "Engine for models that name none; without it the best here.",
            showDefaultValue = Visibility.NEVER)
    private String engine;

    @Mixin
    private ProcessorChoice processor;

    @Option(
            names = "--limit",
            paramLabel = "NAME=N",
            converter = LimitConverter.class,
            description =
                    "How much clients may use of this node; may be given more than once. The names are listed below.",
            showDefaultValue = Visibility.NEVER)
    private Map<Limit, Integer> limits = new EnumMap<>(Limit.class);

    @Option(
            names = "--parent-stdin",
            hidden = true,
            description = "The first line of standard input is the secret; stop when it ends.")
    private boolean parentStdin;

    /** The help lists the limits. */
    @Spec
    void setSpec(CommandSpec serve) {
        spec = serve;
        Stream<String> lines = Arrays.stream(Limit.values())
                .map(limit -> String.format("  %-17s %8d  %s", limit, limit.usual(), limit.words()));
        serve.usageMessage()
                .footer(Stream.concat(Stream.of("", "Limits, and what they usually are:"), lines)
                        .toArray(String[]::new));
    }

    @Override
    public Integer call() throws InterruptedException {
        check();
        Listening place = parentStdin ? listening.listening().with(parentsSecret()) : listening.listening();
        NodeOptions options = new NodeOptions(
                place,
                name == null ? ListeningChoice.name(place).orElseGet(ServeCommand::machine) : name,
                roots(),
                engine,
                processor.loads(),
                new Limits(limits));
        NodeServer node = NodeServer.start(options);
        node.closeAtExit();
        if (parentStdin) {
            new DaemonThreads("espalier-parent")
                    .newThread(ServeCommand::exitWithParent)
                    .start();
        }
        if (place.credentials().equals(Credentials.NONE)) {
            spec.commandLine()
                    .getErr()
                    .println(
                            "any user of this machine may use this node: --secret-file FILE asks callers for a secret");
        }
        spec.commandLine().getOut().println("listening on " + node.address());
        spec.commandLine().getOut().flush();
        node.await();
        return 0;
    }

    /** A node that its own notebook or command started reads what its user may; one that serves others only models. */
    private List<Path> roots() {
        return models.isEmpty() && !parentStdin ? ModelCatalogue.defaultRoots() : models;
    }

    private void check() {
        requireNotBlank("--name", name);
        if (!engine.isEmpty() && !Engines.names().contains(engine)) {
            throw new ParameterException(spec.commandLine(), Engines.unknown(engine));
        }
        for (Path folder : models) {
            if (!Files.isDirectory(folder)) {
                throw new ParameterException(spec.commandLine(), "--models " + folder + " is not a folder");
            }
        }
    }

    private void requireNotBlank(String option, String value) {
        if (value != null && value.isBlank()) {
            throw new ParameterException(spec.commandLine(), option + " is empty: leave it out, or give a value");
        }
    }

    private static String machine() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "node"; // a machine that does not know its own name
        }
    }

    private static Secret parentsSecret() {
        try {
            return Secret.of(firstLine(System.in), "standard input");
        } catch (IOException e) {
            throw new EspalierException("cannot read the secret from standard input: " + e.getMessage(), e);
        }
    }

    /** Byte by byte: what comes after it is not taken off the stream. */
    private static String firstLine(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int read = in.read(); read >= 0 && read != '\n' && line.length() <= MOST_SECRET; read = in.read()) {
            line.append((char) read);
        }
        return line.toString().strip();
    }

    private static void exitWithParent() {
        InputStream parent = System.in;
        try {
            while (parent.read() >= 0) {
                // the parent writes nothing more: only the end counts
            }
        } catch (IOException e) {
            // as good as the end
        }
        System.exit(0);
    }
}
