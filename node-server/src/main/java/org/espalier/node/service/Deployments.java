package org.espalier.node.service;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.espalier.Remedy;
import org.espalier.engine.CancelledException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.node.ring.PlacementDigest;
import org.espalier.node.ring.RingFailure;
import org.espalier.node.ring.RingPlace;
import org.espalier.node.ring.StageShard;
import org.espalier.node.ring.agent.RingAgent;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.v1.AttachPing;
import org.espalier.v1.DeploymentState;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.UnloadRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The deployments of a node. Those of one name are loaded one at a time, and nothing is locked meanwhile: looking up a deployment never
 * blocks, and whatever else waits has an end, also where the files that are loaded lie on a share that does not answer. Closing the node,
 * or unloading what is being loaded, ends the load first.
 */
final class Deployments implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Deployments.class);

    /** A cancelled load ends between two phases or weights, mostly within this time; one that takes longer frees by itself what it has loaded. */
    private static final Duration LOAD = Duration.ofSeconds(5);

    /** A cancelled step ends between two ops: well within this time. */
    private static final Duration CHANGE = Duration.ofSeconds(15);

    /** A node that closes waits no longer: it ends in any case. */
    private static final Duration CLOSE = Duration.ofSeconds(3);

    /** How long of it a load may take to come back, so that it can still be answered. */
    private static final Duration LOAD_AT_CLOSE = Duration.ofSeconds(2);

    /** Clients choose an epoch up to 2^40 above the last one that they see. */
    private static final long EPOCHS_LATER = 1L << 41;

    private static final long LAST_FIRST_EPOCH = 1L << 62;

    private static final long LOOK_MILLIS = 100;

    /** A second, in which the client is told something. */
    private static final int LOOKS = 10;

    private record Deployed(LoadRequest request, ShardLoader.Order order, RingMember member) {}

    private final String node;
    private final ShardLoader loader;
    private final Attachments attachments;
    private final RingAgent agent;
    private final Limits limits;
    private final ConcurrentMap<String, Deployed> byId = new ConcurrentHashMap<>();

    /** What is being loaded, by deployment. */
    private final ConcurrentMap<String, RunningLoad> loads = new ConcurrentHashMap<>();

    /** What is being loaded and not refused. */
    private final Set<String> admitted = ConcurrentHashMap.newKeySet();

    private volatile boolean closed;

    Deployments(NodeOptions options, ShardLoader loader, Attachments attachments, RingAgent agent) {
        this.node = options.name();
        this.limits = options.limits();
        this.loader = loader;
        this.attachments = attachments;
        this.agent = agent;
    }

    /**
     * Loads this node's shard in place of an older epoch's; the shard is kept where it is the same.
     *
     * @throws FailureException with one clear sentence, also when the load was cancelled; then nothing of the deployment stays loaded, whereas a
     *     refusal changes nothing
     */
    RingMember load(RunningLoad loading) {
        ShardLoader.Order order = new PlacementCheck(node).check(loading.request());
        String id = loading.request().getDeployment();
        for (RunningLoad other; (other = loads.putIfAbsent(id, loading)) != null; ) {
            checkGoesOn(loading);
            refuseTwice(other, loading);
            loading.watch()
                    .awaits(new ShardLoader.Awaited(
                            ShardLoader.Source.LOAD,
                            "the load of deployment '" + id + "' by "
                                    + other.request().getClient()));
            for (int looks = 0; looks < LOOKS && !done(other, LOOK_MILLIS); looks++) {
                checkGoesOn(loading);
            }
            loading.watch().tick();
        }
        try {
            checkGoesOn(loading); // after entering it: close() reads both in the other order
            admit(id);
            return place(loading, order);
        } finally {
            admitted.remove(id);
            loads.remove(id);
            loading.done();
        }
    }

    /** One load of a deployment may wait for another client's, or for one that was ended; its own client's would be waited for in vain. */
    private void refuseTwice(RunningLoad other, RunningLoad loading) {
        LoadRequest running = other.request();
        if (running.getClient().equals(loading.request().getClient()) && !other.ended()) {
            throw new Failure(
                            node,
                            Failure.Kind.REFUSED,
                            "deployment '" + running.getDeployment()
                                    + "' is being loaded by this client already, as epoch " + running.getEpoch()
                                    + ": wait for that, or unload it first")
                    .exception();
        }
    }

    /** Of several that come at once, those for which there is room. */
    private synchronized void admit(String id) {
        Set<String> all = new HashSet<>(byId.keySet());
        all.addAll(admitted);
        all.add(id);
        limits.check(Limit.DEPLOYMENTS, all.size(), node, "there would be");
        admitted.add(id);
    }

    private void checkGoesOn(RunningLoad loading) {
        if (closed) {
            loading.end(RingFailure.ended(loading.self()));
        }
        loading.check();
    }

    private boolean done(RunningLoad loading, long millis) {
        try {
            return loading.awaitDone(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted();
        }
    }

    private FailureException interrupted() {
        return new Failure(node, Failure.Kind.CANCELLED, "the request was interrupted on node " + node).exception();
    }

    private RingMember place(RunningLoad loading, ShardLoader.Order order) {
        LoadRequest request = loading.request();
        Deployed old = byId.get(request.getDeployment());
        refuseFar(
                request.getDeployment(),
                request.getEpoch(),
                old == null ? 0 : old.member.place().epoch());
        if (old != null) {
            refuseOld(old, request.getEpoch());
            refuseUsed(old, request.getClient(), request.getForce());
        }
        boolean kept = old != null && old.order.equals(order) && isCurrent(old, loading);
        StageShard shard = null;
        if (old != null && byId.remove(request.getDeployment(), old)) { // or it has just been unloaded
            CompletableFuture<Void> left = old.member.leave(
                    RingFailure.gone(old.member.place(), "placed again as epoch " + request.getEpoch()));
            if (kept) {
                shard = old.member.shard();
                awaitOrFree(left, shard);
            } else {
                await(agent.free(old.member.shard()));
            }
        }
        if (shard == null) {
            shard = load(order, loading);
        }
        if (loading.ended()) {
            await(agent.free(shard));
            loading.check();
        }
        RingPlace place = new RingPlace(
                request.getDeployment(),
                request.getEpoch(),
                request.getPlacement().getShardsList(),
                request.getShard(),
                PlacementDigest.of(request));
        RingMember member = agent.member(place, shard);
        byId.put(request.getDeployment(), new Deployed(request, order, member));
        return member;
    }

    /** Frees a deployment and returns its bytes; 0 if it is not here. */
    long unload(UnloadRequest request) {
        RunningLoad ended = endLoad(request);
        if (ended != null && !done(ended, CHANGE.toMillis())) {
            throw busy();
        }
        return remove(request);
    }

    private FailureException busy() {
        return new Failure(
                        node,
                        Failure.Kind.TIMED_OUT,
                        "node " + node + " is still loading, computing or freeing something else after "
                                + CHANGE.toSeconds() + " s")
                .with(Remedy.LIST_NODES)
                .exception();
    }

    /** The load that was ended; null if there is none. */
    private RunningLoad endLoad(UnloadRequest request) {
        RunningLoad now = loads.get(request.getDeployment());
        if (now == null
                || request.getEpoch() != 0
                        && request.getEpoch() != now.request().getEpoch()) {
            return null;
        }
        String owner = now.request().getClient();
        if (!owner.equals(request.getClient()) && !request.getForce()) {
            throw new Failure(
                            node,
                            Failure.Kind.REFUSED,
                            "deployment '" + request.getDeployment() + "' is being loaded by another client, " + owner)
                    .with(Remedy.USE_OR_FORCE)
                    .exception();
        }
        now.end(new Failure(
                node,
                Failure.Kind.CANCELLED,
                "deployment '" + request.getDeployment() + "' was unloaded on node " + node + " while it was loaded"));
        return now;
    }

    private long remove(UnloadRequest request) {
        Deployed old = byId.get(request.getDeployment());
        if (old == null || request.getEpoch() != 0 && request.getEpoch() != old.request.getEpoch()) {
            return 0;
        }
        refuseUsed(old, request.getClient(), request.getForce());
        if (!byId.remove(request.getDeployment(), old)) {
            return 0; // somebody else was faster
        }
        long bytes = old.member.shard().program().residentBytes();
        old.member.leave(RingFailure.gone(old.member.place(), "unloaded"));
        await(agent.free(old.member.shard()));
        return bytes;
    }

    /**
     * The member of a deployment's ring.
     *
     * @throws FailureException if there is none, or it has another epoch
     */
    RingMember member(String deployment, long epoch) {
        Deployed deployed = byId.get(deployment);
        if (deployed == null) {
            throw gone("node " + node + " has no deployment '" + deployment + "'");
        }
        long current = deployed.member.place().epoch();
        if (current != epoch) {
            throw gone("deployment '" + deployment + "' has epoch " + current + " on node " + node + ", but epoch "
                    + epoch + " was asked for: it has been placed again in the meantime");
        }
        return deployed.member;
    }

    /** Ends the generations of a client that went away. */
    void clientGone(AttachPing client, String connection) {
        Deployed deployed = byId.get(client.getDeployment());
        if (deployed != null) {
            deployed.member.cancelClient(client.getClient(), connection);
        }
    }

    List<DeploymentState> states() {
        Map<String, Deployed> sorted = new TreeMap<>(byId);
        return sorted.values().stream().map(this::state).toList();
    }

    /** Whether anything is generated here now, or waits for it. */
    boolean generating() {
        return byId.values().stream().anyMatch(deployed -> deployed.member.sessions() > 0);
    }

    /** Drops all links without telling the neighbours. */
    void dropLinks() {
        byId.values().forEach(deployed -> deployed.member.dropLinks());
    }

    /** Ends the running loads and all generations, and frees everything; what does not end is left behind. */
    @Override
    public void close() {
        closed = true;
        Collection<RunningLoad> running = List.copyOf(loads.values());
        running.forEach(load -> load.end(RingFailure.ended(load.self())));
        List<CompletableFuture<Void>> freed = new ArrayList<>();
        byId.values().forEach(deployed -> {
            deployed.member.leave(RingFailure.ended(deployed.member.place().self()));
            freed.add(agent.free(deployed.member.shard()));
        });
        byId.clear();
        long deadline = System.nanoTime() + CLOSE.toNanos();
        try {
            CompletableFuture.allOf(freed.toArray(CompletableFuture[]::new)).get(CLOSE.toMillis(), MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("node {} closes although its engine still computes after {} s", node, CLOSE.toSeconds());
        }
        if (running.stream().allMatch(load -> hasEnded(load, deadline))) {
            agent.close(); // otherwise a shard may come that it has to free
        }
    }

    private static boolean hasEnded(RunningLoad load, long deadline) {
        try {
            return load.awaitDone(Math.max(0, (deadline - System.nanoTime()) / 1_000_000));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private DeploymentState state(Deployed deployed) {
        RingMember member = deployed.member;
        return DeploymentState.newBuilder()
                .setDeployment(deployed.request.getDeployment())
                .setEpoch(deployed.request.getEpoch())
                .setModel(deployed.request.getModel())
                .setPlacement(deployed.request.getPlacement())
                .setOwner(deployed.request.getClient())
                .addAllClients(attachments.of(deployed.request.getDeployment()))
                .setResidentBytes(member.shard().program().residentBytes())
                .setSessions(member.sessions())
                .setServing(member.serving())
                .setEngine(member.shard().engine())
                .setPrecision(member.shard().precision())
                .build();
    }

    /** Not where files changed since: loading again is what helps where weights were cut short. */
    private boolean isCurrent(Deployed old, RunningLoad loading) {
        StageShard shard = old.member.shard();
        loading.watch().awaits(files(loading));
        LoadThread looks = new LoadThread(() -> loader.isCurrent(shard) ? shard : null, stillItsOwners -> {});
        return looks.await(loading, this::grace) != null;
    }

    private static ShardLoader.Awaited files(RunningLoad loading) {
        String model = loading.request().getModel().getName();
        return new ShardLoader.Awaited(ShardLoader.Source.FILES, "the files of " + model);
    }

    private Duration grace() {
        return closed ? LOAD_AT_CLOSE : LOAD;
    }

    private StageShard load(ShardLoader.Order order, RunningLoad loading) {
        loading.watch().awaits(files(loading));
        LoadThread thread = new LoadThread(() -> loader.load(order, loading.watch(), loading.cancel()), agent::free);
        try {
            return thread.await(loading, this::grace);
        } catch (CancelledException e) {
            loading.check();
            throw e;
        } catch (OutOfMemoryError e) {
            throw new Failure(
                            node,
                            Failure.Kind.OUT_OF_MEMORY,
                            "node " + node + " does not have enough memory for its shard of "
                                    + order.model().name() + " (" + e.getMessage() + ")")
                    .with(Remedy.SPLIT_OVER_MORE_NODES)
                    .exception(e);
        } catch (RuntimeException e) {
            throw Failure.of(e, Failure.Kind.LOAD_FAILED)
                    .at(node, "node " + node)
                    .exception(e);
        }
    }

    private void refuseOld(Deployed old, long epoch) {
        long current = old.member.place().epoch();
        if (epoch <= current) {
            throw new Failure(
                            node,
                            Failure.Kind.REFUSED,
                            "deployment '" + old.request.getDeployment() + "' has epoch " + current + " on node " + node
                                    + ", a new placement must have a later one than " + epoch)
                    .exception();
        }
    }

    /** Or one client could leave no later epoch to the others. */
    private void refuseFar(String id, long epoch, long current) {
        if (epoch > LAST_FIRST_EPOCH && epoch - current > EPOCHS_LATER) {
            throw new Failure(
                            node,
                            Failure.Kind.INVALID,
                            "epoch " + epoch + " of deployment '" + id + "' is too far from " + current
                                    + ", the one on node " + node + ": it would leave too few for later placements")
                    .exception();
        }
    }

    /** The head knows who is attached; other nodes only see that another client's deployment is in use. */
    private void refuseUsed(Deployed old, String client, boolean force) {
        String id = old.request.getDeployment();
        boolean foreign = !old.request.getClient().equals(client);
        boolean used = attachments.of(id).stream().anyMatch(other -> !other.equals(client))
                || foreign && !old.member.place().isHead() && old.member.sessions() > 0;
        if (used && !force) {
            throw new Failure(
                            node,
                            Failure.Kind.REFUSED,
                            "deployment '" + id + "' is used by another client (loaded by " + old.request.getClient()
                                    + ")")
                    .with(Remedy.USE_OR_FORCE)
                    .exception();
        }
    }

    private FailureException gone(String message) {
        return new Failure(node, Failure.Kind.DEPLOYMENT_GONE, message)
                .with(Remedy.LOAD_AGAIN)
                .exception();
    }

    private void awaitOrFree(CompletableFuture<Void> work, StageShard shard) {
        try {
            await(work);
        } catch (FailureException e) {
            agent.free(shard); // once it can be
            throw e;
        }
    }

    /** Waits for the engine's work. */
    private void await(CompletableFuture<Void> work) {
        try {
            work.get(CHANGE.toMillis(), MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted();
        } catch (TimeoutException e) {
            throw busy();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e); // it never completes so
        }
    }
}
