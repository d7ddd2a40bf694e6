package org.espalier.kernel.magic;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.cluster.ConnectOptions;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.RememberedNodes;
import org.espalier.kernel.display.ClusterTable;
import org.espalier.kernel.display.TopologyPicture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code %cluster}: the nodes. */
final class ClusterMagic implements Magic {

    private final NotebookCluster notebook;

    ClusterMagic(NotebookCluster notebook) {
        this.notebook = notebook;
    }

    @Override
    public String name() {
        return "cluster";
    }

    @Override
    public String summary() {
        return "shows the nodes; %cluster local --nodes 2, %cluster connect HOST:PORT ..., %cluster disconnect, %cluster forget";
    }

    @Override
    public String usage() {
        return "%cluster                      shows nodes, memory and shards\n"
                + Magic.super.usage().stripTrailing();
    }

    @Override
    public List<Object> commands() {
        return List.of(new Local(), new Connect(), new Nodes(), new Disconnect(), new Forget());
    }

    @Command(name = "%cluster local", description = "Starts node processes on this machine and connects to them.")
    private static final class Local {
        @Option(
                names = "--nodes",
                paramLabel = "N",
                defaultValue = "2",
                description = "How many; ${DEFAULT-VALUE} by default.")
        private int nodes;
    }

    @Command(
            name = "%cluster connect",
            description =
                    "Connects to nodes that are already running, and remembers them; without addresses, to those remembered.")
    private static final class Connect {
        @Parameters(
                arity = "0..*",
                paramLabel = "HOST:PORT",
                description = "Nodes in the ring's order. On other machines, or with tls://, over TLS.")
        private List<String> addresses = List.of();

        @Option(
                names = "--certificates",
                paramLabel = "FOLDER",
                description = "For TLS: the client's folder; ~/.espalier/cluster/client by default.")
        private Path certificates;

        @Option(
                names = "--secret-file",
                paramLabel = "FILE",
                description = "The secret that nodes on this machine ask for; only the path is remembered.")
        private Path secretFile;

        private ConnectOptions options() {
            return new ConnectOptions(Optional.ofNullable(certificates), Optional.ofNullable(secretFile));
        }
    }

    @Command(name = "%cluster nodes", description = "Shows the nodes, or those remembered where none is connected.")
    private static final class Nodes {}

    @Command(name = "%cluster forget", description = "Forgets the nodes that %cluster connect remembered.")
    private static final class Forget {}

    @Command(name = "%cluster disconnect", description = "Leaves the nodes; those that this notebook started end.")
    private static final class Disconnect {}

    @Override
    public void run(MagicCall call) {
        List<String> words = call.words();
        String verb = words.isEmpty() ? "show" : words.get(0);
        List<String> rest = words.isEmpty() ? List.of() : words.subList(1, words.size());
        switch (verb) {
            case "show" -> show(call);
            case "local" -> {
                notebook.get().local(Options.parse(new Local(), rest).nodes);
                show(call);
            }
            case "connect" -> {
                connect(Options.parse(new Connect(), rest));
                show(call);
            }
            case "nodes" -> {
                Options.parse(new Nodes(), rest);
                nodes(call);
            }
            case "forget" -> {
                Options.parse(new Forget(), rest);
                call.output().print(RememberedNodes.forget() ? "forgotten\n" : "no nodes were remembered\n");
            }
            case "disconnect" -> {
                Options.parse(new Disconnect(), rest);
                boolean connected = notebook.get().isConnected();
                notebook.close();
                call.output().print(connected ? "disconnected\n" : "there was no cluster to disconnect from\n");
            }
            default -> throw Options.unknownCommand(this, verb);
        }
    }

    private void connect(Connect to) {
        if (!to.addresses.isEmpty()) {
            notebook.get().connect(to.addresses, to.options());
            notebook.get().remember(to.options());
            return;
        }
        RememberedNodes remembered = RememberedNodes.read()
                .orElseThrow(() ->
                        new EspalierException("no nodes are remembered: name them, `%cluster connect HOST:PORT ...`"));
        ConnectOptions options = to.options();
        notebook.get()
                .connect(new RememberedNodes(
                        remembered.nodes(),
                        new ConnectOptions(
                                options.certificates().or(remembered.options()::certificates),
                                options.secretFile().or(remembered.options()::secretFile))));
    }

    private void nodes(MagicCall call) {
        Optional<RememberedNodes> remembered = notebook.get().isConnected() ? Optional.empty() : RememberedNodes.read();
        if (remembered.isEmpty()) {
            show(call);
            return;
        }
        call.output().print("remembered, not connected: `%cluster connect` connects to them\n");
        remembered.get().nodes().forEach(node -> call.output().print(node.name() + "  " + node.address() + "\n"));
    }

    /** What this notebook uses, otherwise the first that others have loaded. */
    private Optional<Deployment> ring(List<NodeInfo> nodes) {
        return notebook.get()
                .deployment()
                .or(() -> Deployment.on(nodes).stream().findFirst());
    }

    private void show(MagicCall call) {
        if (!notebook.get().isConnected()) {
            call.output()
                    .print(
                            "no cluster yet: %cluster local --nodes 2 starts one here, %cluster connect HOST:PORT joins one, and"
                                    + " %model load starts a node inside this kernel\n");
        } else {
            List<NodeInfo> nodes = notebook.get().nodesInFull();
            call.output().display(ClusterTable.of(nodes).display());
            Optional<Deployment> ring = ring(nodes);
            call.output()
                    .display(new TopologyPicture(
                                    nodes,
                                    notebook.get().links(),
                                    ring.map(Deployment::id).orElse(""),
                                    ring.map(Deployment::placement))
                            .display());
            notebook.get().notices().forEach(notice -> call.output().print(notice + "\n"));
        }
    }
}
