package org.espalier.cluster;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.espalier.Remedy;
import org.espalier.model.Model;
import org.espalier.placement.Placement;
import org.espalier.routing.LayerEdit;
import org.espalier.routing.RoutingTrace;
import org.espalier.score.Score;

/**
 * Nodes that hold a model together: connects to them, loads and splits a model over them, and generates. All calls block and may come
 * from any thread; each throws an {@link org.espalier.EspalierException} whose message says what failed and what to do next.
 *
 * <p>A cluster object uses one model at a time: loading another one frees the first, once the new one serves. Where the nodes cannot hold
 * both, the first makes room, and is loaded again if the new one fails.
 */
public final class Cluster implements AutoCloseable {

    private record LoadedLast(String model, LoadOptions options) {}

    private final String client = System.getProperty("user.name", "client") + "-"
            + UUID.randomUUID().toString().substring(0, 8);
    private final ClientModels models;
    private final Optional<NodeStarter> starter;
    private final boolean startsWhenNeeded;
    private final Generations generations = new Generations(client);
    private final LoadingThread loading = new LoadingThread();

    private final ModelInUse inUse = new ModelInUse(client, generations::lost);

    private volatile Connection connection;
    private volatile Optional<LoadedLast> loadedLast = Optional.empty();

    private Cluster(ClientModels models, Optional<NodeStarter> starter, boolean startsWhenNeeded) {
        this.models = models;
        this.starter = starter;
        this.startsWhenNeeded = startsWhenNeeded;
    }

    private Cluster(Connection connection, ClientModels models, Optional<NodeStarter> starter) {
        this(models, starter, false);
        this.connection = connection;
    }

    /**
     * Connects to nodes that are already running.
     *
     * @param addresses {@code HOST:PORT}, {@code plain://} or {@code tls://} each, the ring's order
     * @throws ClusterException if one does not answer, or two have the same name
     */
    public static Cluster of(List<String> addresses) {
        return of(addresses, ConnectOptions.defaults());
    }

    /**
     * As {@link #of(List)}, with what the nodes ask of their clients.
     *
     * @throws org.espalier.EspalierException also if certificates or secret cannot be read
     */
    public static Cluster of(List<String> addresses, ConnectOptions options) {
        return of(addresses, options, new CatalogueModels());
    }

    /** As {@link #of(List)}. */
    public static Cluster of(String... addresses) {
        return of(List.of(addresses));
    }

    static Cluster of(List<String> addresses, ClientModels models) {
        return of(addresses, ConnectOptions.defaults(), models);
    }

    static Cluster of(List<String> addresses, ConnectOptions options, ClientModels models) {
        return new Cluster(Connection.open(addresses, options), models, Optional.empty());
    }

    /** The nodes that have been started for this cluster alone, and end with it. */
    public static Cluster of(NodeStarter.Started nodes, NodeStarter starter) {
        return new Cluster(Connection.open(nodes), new CatalogueModels(), Optional.of(starter));
    }

    /** Without nodes until some are needed: then one is started, and again where it has ended by itself. After {@link #close} it begins anew. */
    public static Cluster whenNeeded(NodeStarter starter) {
        return new Cluster(new CatalogueModels(), Optional.of(starter), true);
    }

    /**
     * Connects to other nodes, in place of those before, which are left as they are; what was started for this cluster ends.
     *
     * @param addresses {@code HOST:PORT}, {@code plain://} or {@code tls://} each, the ring's order
     * @throws ClusterException if one does not answer, or two have the same name; then nothing has changed
     */
    public Cluster connect(List<String> addresses) {
        return connect(addresses, ConnectOptions.defaults());
    }

    /** As {@link #connect(List)}, with what the nodes ask of their clients. */
    public Cluster connect(List<String> addresses, ConnectOptions options) {
        return adopt(Concurrently.apart(() -> Connection.open(addresses, options)));
    }

    /**
     * As {@link #connect(List, ConnectOptions)}, to nodes that {@link RememberedNodes} has; each must still be the one of its name.
     *
     * @throws ClusterException also if another node answers at an address
     */
    public Cluster connect(RememberedNodes remembered) {
        return adopt(Concurrently.apart(() -> Connection.open(remembered)));
    }

    /** As {@link #connect(List)}. */
    public Cluster connect(String... addresses) {
        return connect(List.of(addresses));
    }

    /**
     * Starts node processes on this machine and connects to them, in place of the nodes before.
     *
     * @throws org.espalier.EspalierException if one does not start; then nothing has changed
     */
    public Cluster local(int nodes) {
        NodeStarter starts = starter.orElseThrow(
                () -> new ClusterException("this cluster only connects to nodes: LocalCluster.start(N) starts some"));
        return adopt(Concurrently.apart(() -> Connection.open(starts.processes(nodes))));
    }

    private synchronized Cluster adopt(Connection opened) {
        disconnect();
        connection = opened;
        return this;
    }

    private synchronized Connection connected() {
        if (startsWhenNeeded && connection != null && connection.ownNodesEnded()) {
            disconnect(); // from nodes that nobody else had
        }
        if (connection == null) {
            if (!startsWhenNeeded) {
                throw new ClusterException("the cluster is closed", Remedy.CONNECT);
            }
            connection = Concurrently.apart(
                    () -> Connection.open(starter.orElseThrow().embedded()));
        }
        return connection;
    }

    /** Whether there are nodes now. */
    public boolean isConnected() {
        return connection != null;
    }

    /** All nodes in the order of their addresses, asked now; those that do not answer are listed, with {@link NodeInfo#problem}. */
    public List<NodeInfo> nodes() {
        Connection now = connection;
        return now == null ? List.of() : now.describe();
    }

    /** As {@link #nodes}, each with {@link NodeInfo#details}, which the nodes may take a second to find out. */
    public List<NodeInfo> nodesInFull() {
        Connection now = connection;
        return now == null ? List.of() : now.describeInFull();
    }

    /**
     * Keeps the present nodes in {@link RememberedNodes}.
     *
     * @param options what was shown to them
     */
    public void remember(ConnectOptions options) {
        Connection now = connected();
        new RememberedNodes(
                        now.nodes().stream()
                                .map(node -> new RememberedNodes.Node(node.name(), node.address()))
                                .toList(),
                        options)
                .write();
    }

    /** The ways between nodes over TLS, each in both directions, as they measured them when this cluster connected. */
    public List<Link> links() {
        Connection now = connection;
        return now == null ? List.of() : now.links();
    }

    /** What needs somebody's attention, a sentence each: nodes that cannot reach each other, certificates that expire within 30 days. */
    public List<String> notices() {
        Connection now = connection;
        return now == null ? List.of() : now.notices();
    }

    /** All nodes as each last answered, without asking any. */
    public List<NodeInfo> knownNodes() {
        Connection now = connection;
        return now == null
                ? List.of()
                : now.nodes().stream()
                        .flatMap(node -> node.lastAnswer().stream())
                        .toList();
    }

    /** What the nodes hold, whoever loaded it, asked now: {@link #use} takes any of these. */
    public List<Deployment> deployments() {
        return Deployment.on(nodes());
    }

    /** As {@link #load(String, LoadOptions)}, over all nodes, on the best engine of each. */
    public Deployment load(String model) {
        return load(model, LoadOptions.defaults());
    }

    /**
     * Loads a model and makes it the one that {@link #generate} uses. Nodes that do not answer are left out. If it fails, the model that was
     * there still serves, or is loaded again where memory cannot hold both; the message says which.
     *
     * @param model a directory, a .gguf file, or a name, as {@link org.espalier.model.ModelCatalogue} finds it; what is not on this machine and
     *     reads like {@code ORG/NAME}, {@code ORG/NAME@REVISION} or {@code ORG/NAME:QUANTIZATION} is fetched from the hub first. Each node looks
     *     for the same files in its own folders
     */
    public Deployment load(String model, LoadOptions options) {
        connected();
        SharedModel opened = new SharedModel(models.open(model, options)); // outside the lock: fetching may take hours
        try {
            synchronized (this) {
                Deployment deployment = loading.run(() -> inUse.load(connected(), opened, options));
                loadedLast = Optional.of(new LoadedLast(model, options));
                generations.forget();
                return deployment;
            }
        } finally {
            opened.release();
        }
    }

    /**
     * Loads the model that was loaded last again, as things are now: after a node was lost, over those that are left. Name, engine and
     * precision are as before, unless another name or engine is given.
     *
     * @throws ClusterException if none has been loaded yet
     */
    public Deployment load(LoadOptions options) {
        LoadedLast last =
                loadedLast.orElseThrow(() -> new ClusterException("no model has been loaded yet", Remedy.LOAD));
        LoadOptions again = options.withPrecision(last.options.precision());
        again = options.deployment().isEmpty() ? again.withDeployment(last.options.deployment()) : again;
        again = options.engine().isEmpty() ? again.withEngine(last.options.engine()) : again;
        return load(last.model, again);
    }

    /** The path or name that was loaded last, whatever has become of it. */
    public Optional<String> lastModel() {
        return loadedLast.map(LoadedLast::model);
    }

    /** What {@link #load(String, LoadOptions)} would do, without loading; a model that is not on this machine is still fetched. */
    public Placement plan(String model, LoadOptions options) {
        Connection nodes = connected();
        try (ClientModel opened = models.open(model, options)) {
            return inUse.placing(opened, options, nodes.describe()).by(options);
        }
    }

    /** Places the loaded model again: only nodes whose layers change reload. Precision stays, and engine unless one is named. */
    public synchronized Deployment split(LoadOptions options) {
        return split(plan(options), options);
    }

    /** As {@link #split(LoadOptions)}, with a given placement, which is checked first. */
    public synchronized Deployment split(Placement placement, LoadOptions options) {
        return loading.run(() -> inUse.split(placement, options));
    }

    /** What {@link #split(LoadOptions)} would do, without loading. */
    public Placement plan(LoadOptions options) {
        return inUse.placing().by(options);
    }

    /** Uses a deployment that another client loaded, as {@link #deployments} lists it. */
    public synchronized Deployment use(String deployment) {
        Deployment there = inUse.use(connected(), deployment, models);
        loadedLast = Optional.of(new LoadedLast(
                there.model(), LoadOptions.defaults().withDeployment(deployment).withPrecision(there.precision())));
        generations.forget();
        return there;
    }

    /**
     * Frees the loaded model on every node; without one nothing happens. Where another client has placed the deployment again since, this
     * one only lets go of it.
     *
     * @throws ClusterException if other clients use it; then nothing has changed, on no node and here
     */
    public void unload() {
        unload(LoadOptions.defaults());
    }

    /** As {@link #unload()}, even if other clients use it. */
    public void forceUnload() {
        unload(LoadOptions.defaults().forced());
    }

    /**
     * Frees a deployment, whoever loaded it, as {@link #deployments} lists it.
     *
     * @throws ClusterException if there is none of that name, or other clients use it; then nothing has changed
     */
    public void unload(String deployment) {
        unload(deployment, LoadOptions.defaults());
    }

    /** As {@link #unload(String)}, even if other clients use it. */
    public void forceUnload(String deployment) {
        unload(deployment, LoadOptions.defaults().forced());
    }

    private synchronized void unload(String deployment, LoadOptions options) {
        inUse.unload(connected(), deployment, options);
        forgetUnlessInUse();
    }

    private synchronized void unload(LoadOptions options) {
        inUse.unload(options);
        forgetUnlessInUse();
    }

    /** A generation is that of the model in use. */
    private void forgetUnlessInUse() {
        if (inUse.now().isEmpty()) {
            generations.forget();
        }
    }

    /**
     * Whether the loaded model is a mixture of experts.
     *
     * @throws ClusterException if none is loaded
     */
    public boolean hasExperts() {
        return inUse.required().model().model().moe().isPresent();
    }

    /** The loaded model: its config, headers and tokenizer. */
    public Optional<Model> model() {
        return inUse.now()
                .map(now -> now.model().model())
                .filter(CatalogueModel.class::isInstance)
                .map(catalogued -> ((CatalogueModel) catalogued).model());
    }

    /** What is loaded, as it was placed; {@link #deployments} says what has become of it. */
    public Optional<Deployment> deployment() {
        return inUse.now().map(Serving::deployment);
    }

    /**
     * Generates and waits for the end; an interrupt of the calling thread cancels the work on every node. The listener is called on the
     * calling thread.
     *
     * @throws GenerationCancelledException if it was cancelled
     * @throws NodeLostException if a node of the ring was lost
     */
    public Generation generate(Prompt prompt, GenerateOptions options, GenerationListener listener) {
        return start(prompt, options, listener).await();
    }

    /** As {@link #generate(Prompt, GenerateOptions, GenerationListener)}, listening to nothing. */
    public Generation generate(Prompt prompt, GenerateOptions options) {
        return generate(prompt, options, GenerationListener.SILENT);
    }

    /**
     * Answers a question, or continues a text if the model has no chat template; greedily, 256 tokens at most, with the routing trace.
     */
    public Generation generate(String prompt) {
        return generate(prompt, GenerationListener.SILENT);
    }

    /** As {@link #generate(String)}. */
    public Generation generate(String prompt, GenerationListener listener) {
        return generate(prompt, GenerateOptions.defaults().withRouting(), listener);
    }

    /** As {@link #generate(String)}, with options. */
    public Generation generate(String prompt, GenerateOptions options) {
        return generate(prompt, options, GenerationListener.SILENT);
    }

    /** As {@link #generate(String)}, with options. */
    public Generation generate(String prompt, GenerateOptions options, GenerationListener listener) {
        return generate(prompt(prompt), options, listener);
    }

    /** Greedily, 256 tokens at most, with the routing trace. */
    public Generation generate(Prompt prompt) {
        return generate(prompt, GenerationListener.SILENT);
    }

    /** As {@link #generate(Prompt)}. */
    public Generation generate(Prompt prompt, GenerationListener listener) {
        return generate(prompt, GenerateOptions.defaults().withRouting(), listener);
    }

    /** A question for a model with a chat template, a text for one without. */
    private Prompt prompt(String text) {
        return inUse.required().model().model().chats() ? Prompt.chat(text) : Prompt.text(text);
    }

    /**
     * How well the model predicts a text: bits by token. The tokenizer's begin-of-sequence token comes before the text, so that its first
     * token is predicted too; without one (or with {@link #score(int[], LayerEdit...)} of the bare tokens) the first token is only read.
     *
     * @param edits interventions in the choice of experts, at most one a layer
     * @throws ClusterException if the text is empty, or longer than the model's context: cut it, and put the parts together with
     *     {@link Score#of(List)}
     */
    public Score score(String text, LayerEdit... edits) {
        return score(text, List.of(edits));
    }

    /** As {@link #score(String, LayerEdit...)}. */
    public Score score(String text, List<LayerEdit> edits) {
        return score(Prompt.text(text), edits);
    }

    /** How well the model predicts tokens, taken as they are: the first one is only read. At least two. */
    public Score score(int[] tokens, LayerEdit... edits) {
        return score(tokens, List.of(edits));
    }

    /** As {@link #score(int[], LayerEdit...)}. */
    public Score score(int[] tokens, List<LayerEdit> edits) {
        return score(Prompt.tokens(tokens), edits);
    }

    /**
     * How well the model predicts a prompt, a conversation too. Scores are no generations: {@link #lastGeneration} and {@link #trace} stay
     * what they were.
     */
    public Score score(Prompt prompt, List<LayerEdit> edits) {
        return Scoring.score(
                prompt, edits, options -> generations.start(serving(), prompt, options, GenerationListener.SILENT));
    }

    /** Starts a generation and returns at once; the listener is called on the thread that waits in {@link RunningGeneration#await}. */
    public RunningGeneration start(Prompt prompt, GenerateOptions options, GenerationListener listener) {
        generations.forget();
        return generations.startKept(serving(), prompt, options, listener);
    }

    private Serving serving() {
        return inUse.alive().orElseGet(this::attached); // without the lock, which a load of another model may hold
    }

    private synchronized Serving attached() {
        return inUse.attached();
    }

    /** The generation that was started last; empty if it has not finished or failed, and once another model was loaded. */
    public Optional<Generation> lastGeneration() {
        return generations.last();
    }

    /** The routing trace of {@link #lastGeneration}; empty also if that was not asked for one, or its model has no experts. */
    public Optional<RoutingTrace> trace() {
        return lastGeneration().flatMap(Generation::trace);
    }

    /** Cancels a running load and generations, and disconnects. Deployments stay on the nodes; nodes that belong to this cluster end now. */
    @Override
    public void close() {
        loading.interrupt();
        disconnect();
    }

    private synchronized void disconnect() {
        Connection old = connection;
        connection = null;
        generations.forget();
        if (old != null) {
            old.closing();
            generations.giveUp();
            inUse.leave();
            old.close();
        }
    }

    /** Its nodes and what is loaded. */
    @Override
    public String toString() {
        Connection now = connection;
        String names = now == null
                ? "no nodes yet"
                : now.nodes().stream().map(ClusterNode::name).collect(Collectors.joining(", "));
        return "cluster: " + names + "; "
                + inUse.now().map(loaded -> loaded.id() + " is loaded").orElse("no model is loaded");
    }
}
