package org.espalier.cluster;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.espalier.Remedy;
import org.espalier.model.ModelIdentity;
import org.espalier.placement.Placement;
import org.espalier.placement.PlacementMessage;
import org.espalier.transport.NodeAddress;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.LoadProgress;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.UnloadRequest;

/** Applies a placement on all its nodes at once, or on none. */
final class Deployer {

    /** However long a load takes, its node says each second how far it is; what it does in between may hold it up for 15 s. */
    private static final long SILENT_SECONDS = 30;

    /** Epochs grow by up to this much; a node would have to be placed anew eight million times before they end. */
    private static final long EPOCHS = 1L << 40;

    private final String client;
    private final Map<String, ClusterNode> nodes = new LinkedHashMap<>();

    Deployer(String client, List<ClusterNode> nodes) {
        this.client = client;
        nodes.forEach(node -> this.nodes.put(node.name(), node));
    }

    /**
     * Loads every shard, joins the ring, and frees older shards of the deployment on nodes that no longer hold any.
     *
     * @throws ClusterException of the node that failed first; then the new epoch is loaded nowhere
     */
    Deployment deploy(
            String id, ModelIdentity model, Placement placement, List<NodeInfo> nodeInfos, LoadOptions options) {
        requireOneMode(placement);
        long begin = System.nanoTime();
        long epoch =
                later(shards(id, nodeInfos).mapToLong(ShardInfo::epoch).max().orElse(0));
        Map<String, String> addresses = new LinkedHashMap<>();
        placement.nodes().forEach(name -> addresses.put(name, dialled(placement, nodes.get(name))));
        LoadRequest request = LoadRequest.newBuilder()
                .setDeployment(id)
                .setEpoch(epoch)
                .setClient(client)
                .setModel(Wire.identity(model))
                .setPlacement(PlacementMessage.message(placement, addresses))
                .setEngine(options.engine())
                .setPrecision(options.precision())
                .setForce(options.force())
                .build();
        List<LoadProgress> loaded;
        try {
            List<Callable<LoadProgress>> loads = new ArrayList<>();
            for (int i = 0; i < placement.shards().size(); i++) {
                ClusterNode node = nodes.get(placement.shards().get(i).node());
                LoadRequest part = request.toBuilder().setShard(i).build();
                loads.add(() -> load(node, part, options.listener()));
            }
            loaded = Concurrently.all(loads);
            Set<String> unused = new TreeSet<>(nodes.keySet());
            unused.removeAll(placement.nodes());
            unused.forEach(name -> unload(nodes.get(name), id, 0, options.force()));
            Concurrently.all(placement.nodes().stream()
                    .map(name -> (Callable<Void>) () -> join(nodes.get(name), id, epoch))
                    .toList());
        } catch (ClusterException e) {
            boolean interrupted = Thread.interrupted(); // else no node would be called
            placement.nodes().forEach(name -> unload(nodes.get(name), id, epoch, true));
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            throw e;
        }
        Map<String, String> engines = new LinkedHashMap<>();
        for (int i = 0; i < loaded.size(); i++) {
            engines.put(placement.shards().get(i).node(), loaded.get(i).getEngine());
        }
        return new Deployment(
                id,
                epoch,
                model.name(),
                placement,
                engines,
                loaded.get(0).getPrecision(),
                loaded.stream().mapToLong(LoadProgress::getResidentBytes).sum(),
                (System.nanoTime() - begin) / 1e9);
    }

    /** A node in plain text is reached from its own machine alone, and shows no certificate to the next. */
    private void requireOneMode(Placement placement) {
        Map<NodeAddress.Mode, List<String>> modes = placement.nodes().stream()
                .collect(Collectors.groupingBy(name -> nodes.get(name).mode()));
        if (modes.size() > 1) {
            throw new ClusterException("nodes with and without TLS cannot form a ring: "
                    + String.join(", ", modes.get(NodeAddress.Mode.PLAIN)) + " without, "
                    + String.join(", ", modes.get(NodeAddress.Mode.TLS))
                    + " with; serve all with `--listen HOST:PORT --certificates FOLDER`");
        }
    }

    /** Nobody dials a node that holds everything. */
    private static String dialled(Placement placement, ClusterNode node) {
        return placement.nodes().size() == 1 ? node.address() : node.ringAddress();
    }

    /** A later epoch than the last one, and none that another client would choose at the same moment. */
    private static long later(long last) {
        return last + 1 + ThreadLocalRandom.current().nextLong(EPOCHS);
    }

    /**
     * Frees a deployment on all nodes that hold it in this epoch; what another client has placed since then stays. Nodes that do not answer
     * hold nothing worth freeing.
     *
     * @throws ClusterException if other clients use the deployment and {@code force} is not set; then nothing has changed
     */
    void unload(Deployment deployment, List<NodeInfo> nodeInfos, LoadOptions options) {
        List<String> holders = new ArrayList<>();
        nodeInfos.stream()
                .filter(node -> shards(deployment.id(), List.of(node)).anyMatch(deployment::holds))
                .forEach(node -> holders.add(node.name()));
        String head = deployment.placement().nodes().get(0);
        boolean force = options.force();
        if (holders.remove(head)) {
            // Only the head knows who is attached: it decides before any other node frees, and without it nothing runs.
            force |= free(nodes.get(head), deployment, force);
        }
        if (!force) {
            refuseRunning(deployment, nodeInfos);
        }
        List<ClusterException> failed = new ArrayList<>();
        for (String holder : holders) {
            try {
                free(nodes.get(holder), deployment, force);
            } catch (ClusterException e) {
                failed.add(e);
            }
        }
        if (!failed.isEmpty()) {
            throw failed.get(0);
        }
    }

    /** @return whether the node answered */
    private boolean free(ClusterNode node, Deployment deployment, boolean force) {
        try {
            node.unary().unload(unloadRequest(deployment.id(), deployment.epoch(), force));
            return true;
        } catch (RuntimeException e) {
            ClusterException failure = node.failure(e);
            if (failure instanceof NodeLostException) {
                return false;
            }
            throw failure;
        }
    }

    /** A head that does not answer us may still serve others: what they run is seen on the other nodes. */
    private void refuseRunning(Deployment deployment, List<NodeInfo> nodeInfos) {
        shards(deployment.id(), nodeInfos)
                .filter(deployment::holds)
                .filter(shard -> shard.sessions() > 0 && !shard.owner().equals(client))
                .findFirst()
                .ifPresent(shard -> {
                    throw new ClusterException(
                            "deployment '" + deployment.id() + "' is used by another client (loaded by " + shard.owner()
                                    + ")",
                            Remedy.USE_OR_FORCE);
                });
    }

    /** @throws ClusterException if other clients use the deployment and {@code force} is not set; then nothing has changed */
    void refuseUsed(String id, List<NodeInfo> nodeInfos, LoadOptions options) {
        Set<String> others = new TreeSet<>();
        shards(id, nodeInfos).forEach(shard -> others.addAll(shard.clients()));
        others.remove(client);
        if (!others.isEmpty() && !options.force()) {
            throw new ClusterException(
                    "deployment '" + id + "' is used by " + String.join(", ", others), Remedy.USE_OR_FORCE);
        }
    }

    private static Stream<ShardInfo> shards(String id, List<NodeInfo> nodeInfos) {
        return nodeInfos.stream()
                .flatMap(node -> node.shards().stream())
                .filter(shard -> shard.deployment().equals(id));
    }

    private static LoadProgress load(ClusterNode node, LoadRequest request, LoadListener listener) {
        BlockingClientCall<?, LoadProgress> call = node.progress().load(request);
        try {
            LoadProgress last = LoadProgress.getDefaultInstance();
            for (LoadProgress next = read(call); next != null; next = read(call)) {
                last = next;
                tell(listener, node.name(), last);
            }
            if (!last.getDone()) {
                throw new ClusterException(node + " stopped loading without giving a reason: load again");
            }
            return last;
        } catch (TimeoutException e) {
            throw node.lost("it has said nothing about the load for " + SILENT_SECONDS + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw node.failure(Status.CANCELLED.withCause(e).asRuntimeException());
        } catch (StatusException | RuntimeException e) {
            throw node.failure(e);
        } finally {
            call.cancel("not waited for", null); // nothing, where it has ended
        }
    }

    private static LoadProgress read(BlockingClientCall<?, LoadProgress> call)
            throws InterruptedException, TimeoutException, StatusException {
        return call.read(SILENT_SECONDS, TimeUnit.SECONDS);
    }

    private static void tell(LoadListener listener, String node, LoadProgress progress) {
        synchronized (listener) {
            listener.onProgress(node, progress.getBytesDone(), progress.getBytesTotal());
            if (!progress.getWaitingFor().isEmpty()) {
                listener.onWaiting(node, progress.getWaitingFor());
            }
        }
    }

    private static Void join(ClusterNode node, String id, long epoch) {
        try {
            node.unary()
                    .join(JoinRequest.newBuilder()
                            .setDeployment(id)
                            .setEpoch(epoch)
                            .build());
            return null;
        } catch (RuntimeException e) {
            throw node.failure(e);
        }
    }

    private void unload(ClusterNode node, String id, long epoch, boolean force) {
        try {
            node.unary().unload(unloadRequest(id, epoch, force));
        } catch (RuntimeException e) {
            // cleaning up: the user is told of what failed first
        }
    }

    private UnloadRequest unloadRequest(String id, long epoch, boolean force) {
        return UnloadRequest.newBuilder()
                .setDeployment(id)
                .setClient(client)
                .setEpoch(epoch)
                .setForce(force)
                .build();
    }
}
