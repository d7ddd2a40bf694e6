package org.espalier.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.model.Model;
import org.espalier.placement.NodeMemory;
import org.espalier.placement.Placement;
import org.espalier.placement.PlacementFile;
import org.espalier.placement.Strategy;
import org.espalier.plan.ModelSize;
import org.espalier.routing.LayerEdit;
import org.espalier.routing.RoutingTrace;
import org.espalier.sampling.SamplingMessage;
import org.espalier.score.Score;
import org.espalier.v1.GenerateRequest;

/**
 * Nodes that hold a model together: connects to them, loads and splits a model over them, and generates. All calls block and may come
 * from any thread; each throws an {@link org.espalier.EspalierException} whose message says what failed and what to do next.
 *
 * <p>A cluster object uses one model at a time: loading another one frees the first.
 */
public final class Cluster implements AutoCloseable {

    /** What is loaded, and how this client stays attached to it. */
    private record Serving(Deployment deployment, SharedModel model, ClusterNode head, Attachment attachment) {}

    private final String client = System.getProperty("user.name", "client") + "-"
            + UUID.randomUUID().toString().substring(0, 8);
    private final List<ClusterNode> nodes;
    private final ClientModels models;
    private final AutoCloseable ownNodes;
    private final Set<GenerateCall> running = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;
    private volatile Serving serving;
    private volatile Generation last;
    private volatile RoutingTrace trace;

    private Cluster(List<ClusterNode> nodes, ClientModels models, AutoCloseable ownNodes) {
        this.nodes = List.copyOf(nodes);
        this.models = models;
        this.ownNodes = ownNodes;
    }

    /**
     * Connects to nodes that are already running.
     *
     * @param addresses host:port each, the ring's order
     * @throws ClusterException if one does not answer, or two have the same name
     */
    public static Cluster connect(List<String> addresses) {
        return connect(addresses, () -> {});
    }

    /**
     * As {@link #connect(List)}, to nodes that belong to this cluster alone.
     *
     * @param ownNodes closed with the cluster, also if connecting fails
     */
    public static Cluster connect(List<String> addresses, AutoCloseable ownNodes) {
        try {
            return connect(addresses, new CatalogueModels(), ownNodes);
        } catch (RuntimeException e) {
            end(ownNodes);
            throw e;
        }
    }

    static Cluster connect(List<String> addresses, ClientModels models) {
        return connect(addresses, models, () -> {});
    }

    private static Cluster connect(List<String> addresses, ClientModels models, AutoCloseable ownNodes) {
        if (addresses.isEmpty()) {
            throw new ClusterException("no node address was given: each is HOST:PORT", Remedy.CONNECT);
        }
        List<ClusterNode> nodes = new ArrayList<>();
        Cluster cluster = null;
        try {
            addresses.forEach(address -> nodes.add(new ClusterNode(address)));
            cluster = new Cluster(nodes, models, ownNodes);
            Set<String> names = new HashSet<>();
            for (NodeInfo node : Concurrently.all(
                    nodes.stream().map(node -> (Callable<NodeInfo>) node::greet).toList())) {
                if (!names.add(node.name())) {
                    throw new ClusterException(
                            "two nodes have the name " + node.name() + ": restart one of them with another `--name`");
                }
            }
            return cluster;
        } catch (RuntimeException e) {
            nodes.forEach(ClusterNode::close);
            throw e;
        }
    }

    /** All nodes in the order of {@link #connect}, asked now; those that do not answer are listed as unreachable. */
    public List<NodeInfo> nodes() {
        return Concurrently.all(nodes.stream()
                .map(node -> (Callable<NodeInfo>) () -> {
                    try {
                        return node.describe();
                    } catch (RuntimeException e) {
                        return NodeInfo.unreachable(node.name(), node.address());
                    }
                })
                .toList());
    }

    /**
     * Loads a model and makes it the one that {@link #generate} uses. A failure on any node leaves nothing loaded on all.
     *
     * @param model a directory, a .gguf file, or a name, as {@link org.espalier.model.ModelCatalogue} finds it; what is not on this machine and
     *     reads like {@code ORG/NAME}, {@code ORG/NAME@REVISION} or {@code ORG/NAME:QUANTIZATION} is fetched from the hub first. Each node looks
     *     for the same files in its own folders
     */
    public Deployment load(String model, LoadOptions options) {
        SharedModel opened = new SharedModel(models.open(model, options)); // outside the lock: fetching may take hours
        try {
            return load(opened, options);
        } finally {
            opened.release();
        }
    }

    private synchronized Deployment load(SharedModel opened, LoadOptions options) {
        String id = id(opened.model(), options);
        deployer().refuseUsed(id, nodes(), options);
        if (serving != null && !serving.deployment.id().equals(id)) {
            unload(options);
        }
        List<NodeInfo> nodeInfos = nodes();
        return deploy(id, opened, place(opened.model(), id, nodeInfos, options), nodeInfos, options);
    }

    /** What {@link #load} would do, without loading; a model that is not on this machine is still fetched. */
    public Placement plan(String model, LoadOptions options) {
        try (ClientModel opened = models.open(model, options)) {
            return place(opened, id(opened, options), nodes(), options);
        }
    }

    private static String id(ClientModel model, LoadOptions options) {
        return options.deployment().isEmpty() ? model.name() : options.deployment();
    }

    /** Places the loaded model again: only nodes whose layers change reload. */
    public synchronized Deployment split(LoadOptions options) {
        List<NodeInfo> nodeInfos = nodes();
        Serving now = current();
        return split(now, place(now.model.model(), now.deployment.id(), nodeInfos, options), nodeInfos, options);
    }

    /** As {@link #split(LoadOptions)}, with a given placement, which is checked first. */
    public synchronized Deployment split(Placement placement, LoadOptions options) {
        List<NodeInfo> nodeInfos = nodes();
        Serving now = current();
        return split(now, check(placement, now.model.model().size(), nodeInfos), nodeInfos, options);
    }

    private Deployment split(Serving now, Placement placement, List<NodeInfo> nodeInfos, LoadOptions options) {
        now.model.use(); // while it is not served
        try {
            return deploy(now.deployment.id(), now.model, placement, nodeInfos, options);
        } finally {
            now.model.release();
        }
    }

    /** What {@link #split(LoadOptions)} would do, without loading. */
    public Placement plan(LoadOptions options) {
        Serving now = current();
        return place(now.model.model(), now.deployment.id(), nodes(), options);
    }

    /** Uses a deployment that another client loaded, as {@link #nodes} lists it. */
    public synchronized Deployment use(String deployment) {
        List<ShardInfo> shards = new ArrayList<>();
        Map<String, String> engines = new HashMap<>();
        for (NodeInfo node : nodes()) {
            node.shards().stream()
                    .filter(shard -> shard.deployment().equals(deployment))
                    .forEach(shard -> {
                        shards.add(shard);
                        engines.put(node.name(), shard.engine());
                    });
        }
        if (shards.isEmpty()) {
            throw new ClusterException("no node has a deployment '" + deployment + "'", Remedy.LIST_NODES);
        }
        ShardInfo first = shards.get(0);
        long bytes = shards.stream().mapToLong(ShardInfo::residentBytes).sum();
        Deployment there = new Deployment(
                deployment,
                first.epoch(),
                first.model().name(),
                first.placement(),
                engines,
                first.precision(),
                bytes,
                0);
        SharedModel model = new SharedModel(models.open(first.model()));
        try {
            serve(there, model);
        } finally {
            model.release();
        }
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

    private synchronized void unload(LoadOptions options) {
        Serving now = serving;
        if (now != null) {
            deployer().unload(now.deployment, nodes(), options);
            leave();
        }
    }

    /** Detaches from the deployment; the nodes keep it. */
    private void leave() {
        Serving now = serving;
        serving = null;
        if (now != null) {
            now.attachment.close();
            now.model.release();
        }
    }

    /** The loaded model: its config, headers and tokenizer. */
    public Optional<Model> model() {
        return Optional.ofNullable(serving)
                .map(now -> now.model.model())
                .filter(CatalogueModel.class::isInstance)
                .map(catalogued -> ((CatalogueModel) catalogued).model());
    }

    /** What is loaded. */
    public Optional<Deployment> deployment() {
        return Optional.ofNullable(serving).map(Serving::deployment);
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
        return score(Prompt.tokens(Arrays.stream(tokens).boxed().toList()), edits);
    }

    /**
     * How well the model predicts a prompt, a conversation too. Scores are no generations: {@link #lastGeneration} and {@link #trace} stay
     * what they were.
     */
    public Score score(Prompt prompt, List<LayerEdit> edits) {
        return Scoring.score(
                prompt, edits, options -> start(prompt, options, GenerationListener.SILENT, notKept -> {}));
    }

    /** Starts a generation and returns at once; the listener is called on the thread that waits in {@link RunningGeneration#await}. */
    public RunningGeneration start(Prompt prompt, GenerateOptions options, GenerationListener listener) {
        return start(prompt, options, listener, this::keep);
    }

    private RunningGeneration start(
            Prompt prompt, GenerateOptions options, GenerationListener listener, Consumer<Generation> whenFinished) {
        Serving now = attached();
        boolean started = false;
        try {
            GenerateCall call = call(now, prompt, options, listener, whenFinished);
            running.add(call);
            if (closed) {
                call.giveUp(); // close() may have looked at the running calls before this one was added
            }
            call.start();
            started = true;
            return call;
        } finally {
            if (!started) {
                now.model.release();
            }
        }
    }

    private GenerateCall call(
            Serving now,
            Prompt prompt,
            GenerateOptions options,
            GenerationListener listener,
            Consumer<Generation> whenFinished) {
        ClientModel model = now.model.model();
        GenerateRequest request = GenerateRequest.newBuilder()
                .setDeployment(now.deployment.id())
                .setEpoch(now.deployment.epoch())
                .setClient(client)
                .addAllPrompt(model.encode(prompt))
                .setMaxTokens(options.maxTokens())
                .setSampling(SamplingMessage.of(options.sampling()))
                .addAllStopTokens(options.ignoreEos() ? Set.of() : model.endOfSequence())
                .addAllStopStrings(options.stop())
                .setRouting(options.routing() && model.moe().isPresent())
                .setPromptLogits(options.promptLogits())
                .setPromptLogprobs(options.promptScore())
                .addAllEdits(Wire.edits(options))
                .build();
        GenerateCall[] self = new GenerateCall[1];
        self[0] = new GenerateCall(now.head, request, model, listener, ended -> {
            running.remove(self[0]);
            ended.ifPresent(whenFinished);
            now.model.release();
        });
        return self[0];
    }

    private void keep(Generation generation) {
        last = generation;
        trace = generation.trace().orElse(trace);
    }

    /** The generation that finished last. */
    public Optional<Generation> lastGeneration() {
        return Optional.ofNullable(last);
    }

    /** The routing trace of the last generation that had one. */
    public Optional<RoutingTrace> trace() {
        return Optional.ofNullable(trace);
    }

    /**
     * Cancels running generations and disconnects. The deployment stays on the nodes until it is unloaded or they end; nodes that belong to
     * this cluster end now.
     */
    @Override
    public synchronized void close() {
        closed = true;
        running.forEach(GenerateCall::giveUp);
        leave();
        nodes.forEach(ClusterNode::close);
        end(ownNodes);
    }

    private static void end(AutoCloseable ownNodes) {
        try {
            ownNodes.close();
        } catch (Exception e) {
            throw new ClusterException("the cluster's own nodes did not stop: " + e.getMessage(), e);
        }
    }

    private Serving current() {
        Serving now = serving;
        if (now == null) {
            throw new ClusterException("no model is loaded", Remedy.LOAD);
        }
        return now;
    }

    /** The deployment, attached again if its stream broke. The model has one user more, who has to release it. */
    private synchronized Serving attached() {
        Serving now = current();
        if (!now.attachment.isAlive()) {
            serve(now.deployment, now.model);
        }
        serving.model.use();
        return serving;
    }

    private Deployment deploy(
            String id, SharedModel model, Placement placement, List<NodeInfo> nodeInfos, LoadOptions options) {
        deployer().refuseUsed(id, nodeInfos, options);
        leave();
        Deployment deployment = deployer().deploy(id, model.model().identity(), placement, nodeInfos, options);
        serve(deployment, model);
        return deployment;
    }

    private Deployer deployer() {
        return new Deployer(client, nodes);
    }

    /** @param model gets one user more, the deployment */
    private void serve(Deployment deployment, SharedModel model) {
        String name = deployment.placement().nodes().get(0);
        ClusterNode head = nodes.stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ClusterException("node " + name + ", the head of deployment '" + deployment.id()
                        + "', is not in this cluster: connect to it too"));
        Attachment attachment =
                new Attachment(head, client, deployment.id(), why -> running.forEach(call -> call.lost(why)));
        model.use();
        leave();
        serving = new Serving(deployment, model, head, attachment);
    }

    private Placement place(ClientModel model, String id, List<NodeInfo> nodeInfos, LoadOptions options) {
        ModelSize size = model.size();
        if (options.placement().endsWith(".json")) {
            return check(PlacementFile.read(Path.of(options.placement())), size, nodeInfos);
        }
        if (options.nodes() < 0 || options.nodes() > nodeInfos.size()) {
            throw new ClusterException(
                    "the cluster has " + nodeInfos.size() + " nodes, but " + options.nodes() + " were asked for",
                    Remedy.USE_FEWER_NODES);
        }
        List<NodeInfo> chosen = options.nodes() == 0 ? nodeInfos : nodeInfos.subList(0, options.nodes());
        chosen.stream().filter(node -> !node.reachable()).findFirst().ifPresent(node -> {
            throw new NodeLostException(
                    new Failure(
                            node.name(),
                            Failure.Kind.NODE_LOST,
                            "node " + node.name() + " (" + node.address()
                                    + ") does not answer: connect again without it, or start it again"),
                    null);
        });
        // What the deployment's own shard holds becomes free when it is placed again.
        List<NodeMemory> memory = chosen.stream()
                .map(node -> new NodeMemory(
                        node.name(),
                        node.freeMemoryBytes()
                                + node.shards().stream()
                                        .filter(shard -> shard.deployment().equals(id))
                                        .mapToLong(ShardInfo::residentBytes)
                                        .sum()))
                .toList();
        return check(Strategy.named(options.placement()).place(size, memory), size, nodeInfos);
    }

    private static Placement check(Placement placement, ModelSize size, List<NodeInfo> nodeInfos) {
        return placement.check(
                size.layers().size(), nodeInfos.stream().map(NodeInfo::name).toList());
    }
}
