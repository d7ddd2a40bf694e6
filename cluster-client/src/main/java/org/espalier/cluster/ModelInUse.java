package org.espalier.cluster;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.placement.Placement;

/** The one model that a cluster object uses, and how another takes its place. Whatever changes it is called under the cluster's lock. */
final class ModelInUse {

    /** What is to be served, and where. */
    private record Order(Connection nodes, String id, SharedModel model, Placement placement, LoadOptions options) {}

    private final String client;
    private final Consumer<ClusterException> lost;
    private volatile Serving serving;

    /** @param lost told that the head of the model in use no longer answers */
    ModelInUse(String client, Consumer<ClusterException> lost) {
        this.client = client;
        this.lost = lost;
    }

    Optional<Serving> now() {
        return Optional.ofNullable(serving);
    }

    /** @throws ClusterException if no model is loaded */
    Serving required() {
        return now().orElseThrow(() -> new ClusterException("no model is loaded", Remedy.LOAD));
    }

    /** Where another model would go: what is in use makes room. */
    Placing placing(ClientModel model, LoadOptions options, List<NodeInfo> nodes) {
        String id = id(model, options);
        Set<String> freed = now().filter(old -> !old.id().equals(id))
                .map(old -> Set.of(id, old.id()))
                .orElse(Set.of(id));
        return new Placing(model.size(), nodes, freed);
    }

    /** Where the model in use would go if it were placed again. */
    Placing placing() {
        Serving old = required();
        return placing(old, old.connection().describe());
    }

    private static Placing placing(Serving old, List<NodeInfo> nodes) {
        return new Placing(old.model().model().size(), nodes, Set.of(old.id()));
    }

    private static String id(ClientModel model, LoadOptions options) {
        return options.deployment().isEmpty() ? model.name() : options.deployment();
    }

    /** Loads a model in place of the one in use. If that fails, what was in use still is. */
    Deployment load(Connection nodes, SharedModel opened, LoadOptions options) {
        String id = id(opened.model(), options);
        List<NodeInfo> found = nodes.describe();
        deployer(nodes).refuseUsed(id, found, options);
        Placing placing = placing(opened.model(), options, found);
        Order order = new Order(nodes, id, opened, placing.by(options).requireNothingShared(), options);
        Optional<Serving> old = now().filter(there -> serves(there, found));
        boolean both = old.isPresent() && !old.get().id().equals(id) && placing.fitsBeside(order.placement, id);
        return both ? loadBeside(old.get(), order) : loadInstead(old, order);
    }

    private static boolean serves(Serving old, List<NodeInfo> nodes) {
        return Deployment.on(nodes).stream()
                .anyMatch(there -> there.id().equals(old.id())
                        && there.epoch() == old.deployment().epoch()
                        && there.missing().isEmpty());
    }

    /** The old model serves until the new one does. */
    private Deployment loadBeside(Serving old, Order order) {
        Deployment deployment;
        try {
            deployment = deploy(order);
        } catch (ClusterException e) {
            if (e instanceof NodeException failed && failed.kind() == Failure.Kind.OUT_OF_MEMORY) {
                return loadInstead(Optional.of(old), order); // less was free than its node said
            }
            throw e.and("'" + old.id() + "' is still loaded");
        }
        free(old);
        return deployment;
    }

    /** Frees what another model has taken the place of; where other clients use it, it stays theirs. */
    private void free(Serving old) {
        try {
            deployer(old.connection()).unload(old.deployment(), old.connection().describe(), LoadOptions.defaults());
        } catch (ClusterException e) {
            if (!(e.remedy().equals(Optional.of(Remedy.USE_OR_FORCE)))) {
                throw new ClusterException(
                        "the new model serves, but '" + old.id() + "' was not freed: " + e.what(), e);
            }
        }
    }

    /** The old model makes room, and comes back if the new one fails. */
    private Deployment loadInstead(Optional<Serving> old, Order order) {
        old.ifPresent(there -> there.model().use());
        try {
            if (serving != null && !serving.id().equals(order.id)) {
                unload(order.options);
            }
            try {
                return deploy(order);
            } catch (ClusterException e) {
                throw old.map(there -> restored(there, e)).orElse(e);
            }
        } finally {
            old.ifPresent(there -> there.model().release());
        }
    }

    /** Loads again what made room for a model that failed. */
    private ClusterException restored(Serving old, ClusterException failure) {
        String which = "'" + old.id() + "', which had made room, ";
        boolean interrupted = Thread.interrupted(); // else no call to a node would be made
        try {
            deploy(new Order(
                    old.connection(), old.id(), old.model(), old.deployment().placement(), old.asked()));
            return failure.and(which + "was loaded again");
        } catch (ClusterException e) {
            leave();
            return failure.and(which + "could not be loaded again: " + e.what());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Places the model in use again; it comes back as it was if that fails. */
    Deployment split(Placement placement, LoadOptions options) {
        Serving old = required();
        List<NodeInfo> found = old.connection().describe();
        Placement checked = placing(old, found).checked(placement).requireNothingShared();
        deployer(old.connection()).refuseUsed(old.id(), found, options);
        LoadOptions same = options.withPrecision(old.asked().precision());
        same = options.engine().isEmpty() ? same.withEngine(old.asked().engine()) : same;
        return loadInstead(
                now().filter(there -> serves(there, found)),
                new Order(old.connection(), old.id(), old.model(), checked, same));
    }

    /** Uses what another client loaded. */
    Deployment use(Connection nodes, String id, ClientModels models) {
        List<NodeInfo> found = nodes.describe();
        Deployment there = deployment(id, found);
        if (!there.missing().isEmpty()) {
            throw new ClusterException(
                    "deployment '" + id + "' does not serve: its layers on " + String.join(", ", there.missing())
                            + " are missing",
                    Remedy.LOAD_AGAIN);
        }
        ShardInfo shard = found.stream()
                .flatMap(node -> node.shards().stream())
                .filter(there::holds)
                .findFirst()
                .orElseThrow();
        boolean oneEngine = Set.copyOf(there.engines().values()).size() == 1;
        LoadOptions asked = LoadOptions.defaults()
                .withEngine(oneEngine ? shard.engine() : "")
                .withPrecision(shard.precision());
        SharedModel model = new SharedModel(models.open(shard.model()));
        try {
            serve(nodes, there, model, asked);
        } finally {
            model.release();
        }
        return there;
    }

    private static Deployment deployment(String id, List<NodeInfo> nodes) {
        List<Deployment> all = Deployment.on(nodes);
        String names =
                all.isEmpty() ? "nothing" : all.stream().map(Deployment::id).collect(Collectors.joining(", "));
        return all.stream()
                .filter(there -> there.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new ClusterException(
                        "no node has a deployment '" + id + "': they hold " + names, Remedy.LIST_NODES));
    }

    /** Frees a deployment, whoever loaded it. */
    void unload(Connection nodes, String id, LoadOptions options) {
        List<NodeInfo> found = nodes.describe();
        deployer(nodes).unload(deployment(id, found), found, options);
        if (now().filter(there -> there.id().equals(id)).isPresent()) {
            leave();
        }
    }

    /** Frees the model in use, if there is one. */
    void unload(LoadOptions options) {
        Serving old = serving;
        if (old != null) {
            deployer(old.connection()).unload(old.deployment(), old.connection().describe(), options);
            leave();
        }
    }

    /** Detaches from the deployment; the nodes keep it. */
    void leave() {
        Serving old = serving;
        serving = null;
        if (old != null) {
            old.attachment().close();
            old.model().release();
        }
    }

    /** The model in use if its stream stands; from any thread. It has one user more, who has to release it. */
    Optional<Serving> alive() {
        Serving there = serving;
        boolean alive =
                there != null && there.attachment().isAlive() && there.model().useIfOpen();
        return alive ? Optional.of(there) : Optional.empty();
    }

    /** The model in use, attached again if its stream broke. It has one user more, who has to release it. */
    Serving attached() {
        Serving there = required();
        if (!there.attachment().isAlive()) {
            serve(there.connection(), there.deployment(), there.model(), there.asked());
        }
        serving.model().use();
        return serving;
    }

    private Deployment deploy(Order order) {
        Deployment deployment = deployer(order.nodes)
                .deploy(
                        order.id,
                        order.model.model().identity(),
                        order.placement,
                        order.nodes.describe(),
                        order.options);
        serve(order.nodes, deployment, order.model, order.options);
        return deployment;
    }

    private Deployer deployer(Connection nodes) {
        return new Deployer(client, nodes.nodes());
    }

    /** @param model gets one user more, the deployment */
    private void serve(Connection nodes, Deployment deployment, SharedModel model, LoadOptions asked) {
        ClusterNode head = nodes.head(deployment);
        Attachment attachment = new Attachment(head, client, deployment.id(), lost);
        model.use();
        leave();
        serving = new Serving(nodes, deployment, model, head, attachment, asked);
    }
}
