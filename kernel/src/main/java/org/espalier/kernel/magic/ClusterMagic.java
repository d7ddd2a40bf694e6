package org.espalier.kernel.magic;

import java.util.List;
import org.espalier.kernel.display.ClusterTable;
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
        return "shows the nodes; %cluster local --nodes 2, %cluster connect HOST:PORT ..., %cluster disconnect";
    }

    @Override
    public String usage() {
        return "%cluster                      shows nodes, memory and shards\n"
                + Magic.super.usage().stripTrailing();
    }

    @Override
    public List<Object> commands() {
        return List.of(new Local(), new Connect(), new Disconnect());
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

    @Command(name = "%cluster connect", description = "Connects to nodes that are already running.")
    private static final class Connect {
        @Parameters(arity = "1..*", paramLabel = "HOST:PORT", description = "Nodes in the ring's order.")
        private List<String> addresses;
    }

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
                notebook.get().connect(Options.parse(new Connect(), rest).addresses);
                show(call);
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

    private void show(MagicCall call) {
        if (!notebook.get().isConnected()) {
            call.output()
                    .print(
                            "no cluster yet: %cluster local --nodes 2 starts one here, %cluster connect HOST:PORT joins one, and"
                                    + " %model load starts a node inside this kernel\n");
        } else {
            call.output().display(ClusterTable.of(notebook.get().nodes()).display());
        }
    }
}
