package org.espalier.node.service;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.espalier.Remedy;
import org.espalier.engine.CancelledException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.node.ring.RingClock;
import org.espalier.node.ring.RingFailure;
import org.espalier.node.ring.RingMember;
import org.espalier.node.ring.RingPlace;
import org.espalier.node.ring.StageShard;
import org.espalier.node.ring.StepThread;
import org.espalier.v1.DeploymentState;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.UnloadRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The deployments of a node. Loading and unloading happen one at a time; looking up a deployment never blocks. Closing the node, or
 * unloading what is being loaded, ends the load first.
 */
final class Deployments implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Deployments.class);

    /** A cancelled load ends between two phases, well within this time. */
    private static final long CHANGE_SECONDS = 15;

    private static final long LOOK_MILLIS = 100;

    private record Deployed(LoadRequest request, ShardLoader.Order order, RingMember member) {}

    private final String node;
    private final ShardLoader loader;
    private final Attachments attachments;
    private final StepThread steps = new StepThread();
    private final RingClock clock;
    private final ConcurrentMap<String, Deployed> byId = new ConcurrentHashMap<>();

    /** Held by whoever loads, unloads or closes. */
    private final ReentrantLock changing = new ReentrantLock();

    private volatile RunningLoad current;
    private volatile boolean closed;

    Deployments(String node, ShardLoader loader, Attachments attachments, RingClock clock) {
        this.node = node;
        this.loader = loader;
        this.attachments = attachments;
        this.clock = clock;
    }

    /**
     * Loads this node's shard in place of an older epoch's; the shard is kept where it is the same.
     *
     * @throws FailureException with one clear sentence, also when the load was cancelled; then nothing of the deployment stays loaded, whereas a
     *     refusal changes nothing
     */
    RingMember load(RunningLoad loading, ShardLoader.Progress progress) {
        ShardLoader.Order order = new PlacementCheck(node).check(loading.request());
        while (!locked(LOOK_MILLIS)) {
            checkGoesOn(loading);
        }
        try {
            current = loading; // before reading closed: close() reads both in the other order
            checkGoesOn(loading);
            return place(loading, order, progress);
        } finally {
            current = null;
            changing.unlock();
        }
    }

    private void checkGoesOn(RunningLoad loading) {
        if (closed) {
            loading.end(RingFailure.ended(loading.self()));
        }
        loading.check();
    }

    private boolean locked(long millis) {
        try {
            return changing.tryLock(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure(node, Failure.Kind.CANCELLED, "the request was interrupted on node " + node).exception();
        }
    }

    private RingMember place(RunningLoad loading, ShardLoader.Order order, ShardLoader.Progress progress) {
        LoadRequest request = loading.request();
        Deployed old = byId.get(request.getDeployment());
        if (old != null) {
            refuseOld(old, request.getEpoch());
            refuseUsed(old, request.getClient(), request.getForce());
        }
        StageShard shard = null;
        if (old != null) {
            byId.remove(request.getDeployment());
            old.member
                    .leave(RingFailure.gone(old.member.place(), "placed again as epoch " + request.getEpoch()))
                    .join();
            if (old.order.equals(order)) {
                shard = old.member.shard();
            } else {
                free(old.member.shard());
            }
        }
        if (shard == null) {
            shard = load(order, loading, progress);
        }
        if (loading.ended()) {
            free(shard);
            loading.check();
        }
        RingPlace place = new RingPlace(
                request.getDeployment(),
                request.getEpoch(),
                request.getPlacement().getShardsList(),
                request.getShard());
        RingMember member = new RingMember(place, shard, steps, clock);
        byId.put(request.getDeployment(), new Deployed(request, order, member));
        return member;
    }

    /** Frees a deployment and returns its bytes; 0 if it is not here. */
    long unload(UnloadRequest request) {
        endLoad(request);
        if (!locked(TimeUnit.SECONDS.toMillis(CHANGE_SECONDS))) {
            throw new Failure(
                            node,
                            Failure.Kind.TIMED_OUT,
                            "node " + node + " is still loading or unloading something else after " + CHANGE_SECONDS
                                    + " s")
                    .with(Remedy.LIST_NODES)
                    .exception();
        }
        try {
            return remove(request);
        } finally {
            changing.unlock();
        }
    }

    private void endLoad(UnloadRequest request) {
        RunningLoad now = current;
        if (now == null
                || !now.request().getDeployment().equals(request.getDeployment())
                || request.getEpoch() != 0
                        && request.getEpoch() != now.request().getEpoch()) {
            return;
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
    }

    private long remove(UnloadRequest request) {
        Deployed old = byId.get(request.getDeployment());
        if (old == null || request.getEpoch() != 0 && request.getEpoch() != old.request.getEpoch()) {
            return 0;
        }
        refuseUsed(old, request.getClient(), request.getForce());
        byId.remove(request.getDeployment());
        long bytes = old.member.shard().program().residentBytes();
        old.member.leave(RingFailure.gone(old.member.place(), "unloaded")).join();
        free(old.member.shard());
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
    void clientGone(String client, String deployment) {
        Deployed deployed = byId.get(deployment);
        if (deployed != null) {
            deployed.member.cancelClient(client);
        }
    }

    List<DeploymentState> states() {
        Map<String, Deployed> sorted = new TreeMap<>(byId);
        return sorted.values().stream().map(this::state).toList();
    }

    /** Drops all links without telling the neighbours. */
    void dropLinks() {
        byId.values().forEach(deployed -> deployed.member.dropLinks());
    }

    /** Ends the running load and all generations, and frees everything. */
    @Override
    public void close() {
        closed = true;
        RunningLoad now = current;
        if (now != null) {
            now.end(RingFailure.ended(now.self()));
        }
        if (!locked(TimeUnit.SECONDS.toMillis(CHANGE_SECONDS))) {
            // The loading thread frees the shard when it returns, on the engine's thread, which therefore stays alive.
            LOG.warn("node {} closes although a load has not ended within {} s", node, CHANGE_SECONDS);
            return;
        }
        try {
            freeAll();
        } finally {
            changing.unlock();
        }
    }

    private void freeAll() {
        byId.values().forEach(deployed -> {
            deployed.member
                    .leave(RingFailure.ended(deployed.member.place().self()))
                    .join();
            free(deployed.member.shard());
        });
        byId.clear();
        steps.close();
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

    private StageShard load(ShardLoader.Order order, RunningLoad loading, ShardLoader.Progress progress) {
        try {
            return loader.load(order, progress, loading.cancel());
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

    /** Frees a shard on the thread that owns it and waits for that. */
    private void free(StageShard shard) {
        steps.free(shard).join();
    }
}
