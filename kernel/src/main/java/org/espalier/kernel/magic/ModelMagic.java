package org.espalier.kernel.magic;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.TimedPlacement;
import org.espalier.cluster.TokenTimes;
import org.espalier.hub.HubSettings;
import org.espalier.kernel.display.Bytes;
import org.espalier.kernel.display.PlacementPicture;
import org.espalier.kernel.display.ProgressBar;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.placement.Placement;
import org.espalier.placement.PlacementFile;
import org.espalier.plan.ShardPlans;
import org.espalier.plan.ShardSize;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code %model}: what is loaded, and where its parts lie. */
final class ModelMagic implements Magic {

    private final NotebookCluster notebook;

    ModelMagic(NotebookCluster notebook) {
        this.notebook = notebook;
    }

    @Override
    public String name() {
        return "model";
    }

    @Override
    public String summary() {
        return "%model load PATH-OR-NAME, %model split, %model use NAME, %model unload; alone: what is loaded, and what else is there";
    }

    @Override
    public String usage() {
        return "%model                        shows what is loaded, and what else the nodes hold\n"
                + Magic.super.usage().stripTrailing();
    }

    @Override
    public List<Object> commands() {
        return List.of(new Load(), new Split(), new Use(), new Unload());
    }

    /** What load and split have in common. */
    private static class Placing {
        @Option(
                names = "--placement",
                paramLabel = "STRATEGY|FILE.json",
                description = "A strategy's name, or a placement written with --out.")
        protected String placement = "pipeline";

        @Option(names = "--nodes", paramLabel = "N", description = "Use only the first N nodes.")
        protected int nodes;

        @Option(names = "--plan", description = "Show the placement, load nothing.")
        protected boolean plan;

        @Option(names = "--out", paramLabel = "FILE.json", description = "Also write the placement to a file.")
        protected Path out;

        @Option(names = "--force", description = "Even when another client uses the deployment.")
        protected boolean force;

        LoadOptions options() {
            LoadOptions options =
                    LoadOptions.defaults().withPlacement(placement).withNodes(nodes);
            return force ? options.forced() : options;
        }
    }

    @Command(
            name = "%model load",
            description = "Loads a model over the cluster; without one, on a node in this kernel.")
    private static final class Load extends Placing {
        @Parameters(
                arity = "0..1",
                paramLabel = "PATH-OR-NAME",
                description =
                        "Without it the model that was loaded last, over the nodes that answer now. Directory, .gguf file, or name of a model. ORG/NAME (also ORG/NAME@REVISION, or"
                                + " ORG/NAME:Q4_K_M for one of several GGUF files) is fetched from the hub if it is not here.")
        private String model;

        @Option(names = "--offline", description = "Fetch nothing from the hub.")
        private boolean offline;

        @Option(
                names = "--name",
                paramLabel = "NAME",
                description = "What to call it; without it the model's own name.")
        private String name = "";

        @Option(names = "--engine", paramLabel = "ENGINE", description = "Engine; without it each node's best.")
        private String engine = "";

        @Option(names = "--precision", paramLabel = "float32|fast", description = "Arithmetic of the run.")
        private String precision = "fast";
    }

    @Command(
            name = "%model split",
            description = "Shows the placement, or changes it: only what changed is loaded again.")
    private static final class Split extends Placing {}

    @Command(name = "%model use", description = "Uses a model that another notebook has loaded on these nodes.")
    private static final class Use {
        @Parameters(paramLabel = "DEPLOYMENT", description = "As %model lists it.")
        private String name;
    }

    @Command(name = "%model unload", description = "Frees a model on every node.")
    private static final class Unload {
        @Parameters(
                arity = "0..1",
                paramLabel = "DEPLOYMENT",
                description = "As %model lists it, whoever loaded it; without it the model of this notebook.")
        private String name;

        @Option(names = "--force", description = "Even when another client uses the deployment.")
        private boolean force;
    }

    @Override
    public void run(MagicCall call) {
        List<String> words = call.words();
        String verb = words.isEmpty() ? "show" : words.get(0);
        List<String> rest = words.isEmpty() ? List.of() : words.subList(1, words.size());
        switch (verb) {
            case "show" -> show(call);
            case "load" -> load(Options.parse(new Load(), rest), call);
            case "split" -> split(Options.parse(new Split(), rest), rest.isEmpty(), call);
            case "use" -> use(Options.parse(new Use(), rest), call);
            case "unload" -> unload(Options.parse(new Unload(), rest), call);
            default -> throw Options.unknownCommand(this, verb);
        }
    }

    private void use(Use command, MagicCall call) {
        call.output().print(line(notebook.get().use(command.name)) + "\n");
    }

    private void unload(Unload command, MagicCall call) {
        if (command.name != null && command.force) {
            notebook.get().forceUnload(command.name);
        } else if (command.name != null) {
            notebook.get().unload(command.name);
        } else if (command.force) {
            notebook.withModel().forceUnload();
        } else {
            notebook.withModel().unload();
        }
        call.output().print("unloaded\n");
    }

    private void show(MagicCall call) {
        Cluster cluster = notebook.get();
        List<NodeInfo> nodes = cluster.nodes();
        Optional<Deployment> own = cluster.deployment();
        call.output()
                .print(own.map(deployment -> line(deployment) + trouble(deployment, nodes))
                                .orElse("no model is loaded: %model load PATH-OR-NAME")
                        + "\n");
        Deployment.on(nodes).stream()
                .filter(other ->
                        own.filter(mine -> mine.id().equals(other.id())).isEmpty())
                .forEach(other -> call.output()
                        .print("also there: " + line(other) + "; `%model use " + other.id()
                                + "` uses it, `%model unload " + other.id() + "` frees it\n"));
    }

    /** Why a deployment no longer serves as it was placed; empty if it does. */
    private static String trouble(Deployment deployment, List<NodeInfo> nodes) {
        Optional<Deployment> now = Deployment.on(nodes).stream()
                .filter(found -> found.id().equals(deployment.id()) && found.epoch() == deployment.epoch())
                .findFirst();
        String again = "; `%model load` places it again";
        if (now.isEmpty()) {
            return "\nit is no longer on the nodes: they have ended, or somebody unloaded or replaced it" + again;
        }
        List<String> missing = now.get().missing();
        return missing.isEmpty()
                ? ""
                : "\nit does not serve: "
                        + missing.stream()
                                .map(name -> "node " + name + " " + problem(name, nodes))
                                .collect(Collectors.joining(", "))
                        + again;
    }

    private static String problem(String name, List<NodeInfo> nodes) {
        return nodes.stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .map(node -> node.reachable() ? "no longer has its layers" : node.problem())
                .orElse("is not connected");
    }

    private void load(Load command, MagicCall call) {
        Cluster cluster = notebook.get();
        boolean again = command.model == null;
        if (again) {
            command.model = cluster.lastModel()
                    .orElseThrow(() ->
                            new EspalierException("no model was loaded before: name one, `%model load PATH-OR-NAME`"));
        }
        LoadBars bars = new LoadBars(call.output(), command.model);
        LoadOptions options = command.options()
                .withDeployment(command.name)
                .withEngine(command.engine)
                .withPrecision(command.precision)
                .withHub(command.offline ? HubSettings.Access.OFFLINE : HubSettings.Access.ONLINE)
                .withListener(bars);
        if (command.plan) {
            Placement placement = cluster.plan(command.model, options);
            try (Model planned = ModelCatalogue.ofThisMachine().open(bars.fetchedOr(command.model))) {
                draw(planned, placement, command, call);
                time(planned, placement, command.engine, call);
            }
            return;
        }
        Deployment deployment = again ? cluster.load(options) : cluster.load(command.model, options);
        bars.finish(line(deployment));
        cluster.nodes().stream()
                .filter(node -> !node.reachable())
                .forEach(node -> call.output().print("left out: node " + node.name() + " " + node.problem() + "\n"));
        if (deployment.placement().shards().size() > 1) {
            draw(cluster.model().orElseThrow(), deployment.placement(), command, call);
        }
    }

    private void split(Split command, boolean onlyShow, MagicCall call) {
        Cluster cluster = notebook.withModel();
        Deployment deployment = cluster.deployment().orElseThrow();
        if (onlyShow) {
            draw(cluster.model().orElseThrow(), deployment.placement(), command, call);
            String trouble = trouble(deployment, cluster.nodes());
            call.output().print(trouble.isEmpty() ? "" : deployment.id() + ":" + trouble + "\n");
        } else if (command.plan) {
            Model planned = cluster.model().orElseThrow();
            Placement placement = cluster.plan(command.options());
            draw(planned, placement, command, call);
            Set<String> engines = Set.copyOf(deployment.engines().values());
            time(planned, placement, engines.size() == 1 ? engines.iterator().next() : "", call);
        } else {
            ProgressBar bar = new ProgressBar(call.output(), "moving layers");
            Deployment moved = cluster.split(command.options().withListener(bar::report));
            bar.finish(line(moved));
            draw(cluster.model().orElseThrow(), moved.placement(), command, call);
        }
    }

    private static void draw(Model model, Placement placement, Placing command, MagicCall call) {
        List<ShardSize> sizes =
                placement.members().stream().map(new ShardPlans(model)::size).toList();
        call.output().display(new PlacementPicture(placement, sizes).display());
        if (command.out != null) {
            PlacementFile.write(placement, command.out);
            call.output().print("written to " + command.out + "\n");
        }
    }

    /** Of a plan over several nodes: how long a token takes, and whether another way is faster. */
    private void time(Model model, Placement placement, String engine, MagicCall call) {
        if (placement.shards().size() == 1) {
            return;
        }
        Cluster cluster = notebook.get();
        List<TimedPlacement> timed =
                new TokenTimes(cluster.nodesInFull(), cluster.links(), engine).ranked(model, placement);
        if (timed.isEmpty()) {
            call.output()
                    .print("no estimate of its speed: a node has not measured how fast it reads memory, as one that"
                            + " generates\n");
        }
        for (TimedPlacement one : timed) {
            boolean own = one.placement().equals(placement);
            call.output().print((own ? "planned: " : one.placement().strategy() + ": ") + one.time() + "\n");
        }
    }

    private static String line(Deployment deployment) {
        int nodes = deployment.placement().shards().size();
        return String.format(
                Locale.ROOT,
                "%s: %d layers on %d node%s, %s of weights, engine %s, %s%s",
                deployment.id(),
                deployment.placement().layers(),
                nodes,
                nodes == 1 ? "" : "s",
                Bytes.text(deployment.residentBytes()),
                deployment.engine(),
                deployment.precision(),
                deployment.loadSeconds() == 0
                        ? ""
                        : String.format(Locale.ROOT, ", loaded in %.1f s", deployment.loadSeconds()));
    }
}
