package org.espalier.node.service;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.node.ring.EngineThread;
import org.espalier.node.ring.RingClock;
import org.espalier.node.ring.RingFailure;
import org.espalier.node.ring.RingMember;
import org.espalier.node.ring.RingPlace;
import org.espalier.node.ring.StageShard;
import org.espalier.v1.DeploymentState;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.Placement;
import org.espalier.v1.UnloadRequest;

/** The deployments of a node. Loading and unloading happen one at a time; looking a deployment up never waits. */
final class Deployments implements AutoCloseable {

    private record Deployed(LoadRequest request, ShardLoader.Order order, RingMember member) {}

    private final String node;
    private final ShardLoader loader;
    private final Attachments attachments;
    private final EngineThread engine = new EngineThread();
    private final RingClock clock;
    private final ConcurrentMap<String, Deployed> byId = new ConcurrentHashMap<>();

    Deployments(String node, ShardLoader loader, Attachments attachments, RingClock clock) {
        this.node = node;
        this.loader = loader;
        this.attachments = attachments;
        this.clock = clock;
    }

    /**
     * Loads this node's shard in place of an older epoch's; the shard is kept where it is the same.
     *
     * @throws FailureException with one clear sentence; nothing of the deployment stays loaded then, but a refusal changes nothing
     */
    synchronized RingMember load(LoadRequest request, ShardLoader.Progress progress) {
        new PlacementCheck(node).check(request);
        Deployed old = byId.get(request.getDeployment());
        if (old != null) {
            refuseOld(old, request.getEpoch());
            refuseUsed(old, request.getClient(), request.getForce());
        }
        ShardLoader.Order order = order(request);
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
            shard = load(order, progress);
        }
        RingPlace place = new RingPlace(
                request.getDeployment(),
                request.getEpoch(),
                request.getPlacement().getShardsList(),
                request.getShard());
        RingMember member = new RingMember(place, shard, engine, clock);
        byId.put(request.getDeployment(), new Deployed(request, order, member));
        return member;
    }

    /** Frees a deployment; one that is not here is 0 bytes. */
    synchronized long unload(UnloadRequest request) {
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
     * @throws FailureException if there is none, or of another epoch
     */
    RingMember member(String deployment, long epoch) {
        Deployed deployed = byId.get(deployment);
        if (deployed == null) {
            throw gone("node " + node + " has no deployment '" + deployment + "'");
        }
        long current = deployed.member.place().epoch();
        if (current != epoch) {
            throw gone("deployment '" + deployment + "' has epoch " + current + " on node " + node
                    + ", asked for was epoch " + epoch + ": it was placed again meanwhile");
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

    /** Drops all links; the neighbours hear nothing. */
    synchronized void cut() {
        byId.values().forEach(deployed -> deployed.member.cut());
    }

    @Override
    public synchronized void close() {
        byId.values().forEach(deployed -> {
            deployed.member
                    .leave(RingFailure.ended(deployed.member.place().self()))
                    .join();
            free(deployed.member.shard());
        });
        byId.clear();
        engine.close();
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

    private StageShard load(ShardLoader.Order order, ShardLoader.Progress progress) {
        try {
            return loader.load(order, progress);
        } catch (OutOfMemoryError e) {
            throw new Failure(
                            node,
                            Failure.Kind.OUT_OF_MEMORY,
                            "node " + node + " has not enough memory for its shard of " + order.model() + " ("
                                    + e.getMessage() + ")")
                    .with(Remedy.SPLIT_OVER_MORE_NODES)
                    .exception();
        } catch (RuntimeException e) {
            throw Failure.of(e, Failure.Kind.LOAD_FAILED)
                    .at(node, "node " + node)
                    .exception();
        }
    }

    private ShardLoader.Order order(LoadRequest request) {
        Placement placement = request.getPlacement();
        var shard = placement.getShards(request.getShard());
        return new ShardLoader.Order(
                node,
                request.getModel(),
                placement.getLayers(),
                shard.getFirstLayer(),
                shard.getEndLayer(),
                request.getEngine(),
                request.getPrecision());
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

    /** The head knows who is attached; another node sees only that a foreign deployment computes. */
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
        engine.free(shard).join();
    }
}
