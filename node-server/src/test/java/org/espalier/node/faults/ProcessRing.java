package org.espalier.node.faults;

import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.model.ModelIdentity;
import org.espalier.transport.Channels;
import org.espalier.transport.Credentials;
import org.espalier.transport.NodeAddress;
import org.espalier.transport.PeerIdentity;
import org.espalier.v1.DeploymentState;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.espalier.v1.Shard;
import org.espalier.v1.UnloadRequest;

/**
 * Node processes that hold the shipped demo model together, each with files of its own. Each link of the ring runs through a relay, since
 * the placement names the relays' addresses; so does what clients say to the head through {@link #clients}.
 */
final class ProcessRing implements AutoCloseable {

    static final String ID = "demo";
    static final int LAYERS = 8;
    private static final Path DEMO = Path.of("..", "models", "demo");

    final List<NodeProcess> nodes = new ArrayList<>();

    /** The relay in front of each node, which the node before it dials. */
    final List<Relay> links = new ArrayList<>();

    /** In front of the head. */
    final Relay clients;

    private final List<ManagedChannel> channels = new ArrayList<>();
    private final Path files;
    private final String[] jvmOptions;
    private volatile long epoch;
    private List<Integer> ends;

    ProcessRing(int count, String... jvmOptions) throws Exception {
        this.jvmOptions = jvmOptions;
        files = Files.createTempDirectory("faults");
        for (int i = 0; i < count; i++) {
            copy(DEMO, model(i));
            nodes.add(NodeProcess.open(name(i), jvmOptions));
            links.add(new Relay(nodes.get(i).address()));
            channels.add(channel(nodes.get(i).address()));
        }
        clients = new Relay(nodes.get(0).address());
        ends = IntStream.rangeClosed(1, count).mapToObj(i -> LAYERS * i / count).toList();
    }

    static String name(int node) {
        return "n" + node;
    }

    /** Where a node has the model. */
    Path model(int node) {
        return files.resolve(name(node)).resolve("demo");
    }

    /** Puts a node's weights in their place again if they were cut short, as a new file: who has mapped the former one keeps that. */
    void restoreWeights(int node) throws IOException {
        Path there = model(node).resolve("model.safetensors");
        if (Files.size(there) == Files.size(DEMO.resolve("model.safetensors"))) {
            return;
        }
        Path fresh = there.resolveSibling("fresh");
        Files.copy(DEMO.resolve("model.safetensors"), fresh, StandardCopyOption.REPLACE_EXISTING);
        Files.move(fresh, there, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> all = Files.list(from)) {
            for (Path file : all.toList()) {
                Files.copy(file, to.resolve(file.getFileName().toString()));
            }
        }
    }

    static ManagedChannel channel(String address) {
        return new Channels(Credentials.NONE)
                .toAddress(NodeAddress.parse(address), PeerIdentity.anyNode())
                .maxInboundMessageSize(64 << 20)
                .build();
    }

    /** A node in place of one that has ended, at another address. */
    void restart(int node) throws Exception {
        nodes.get(node).close();
        channels.get(node).shutdownNow();
        nodes.set(node, NodeProcess.open(name(node), jvmOptions));
        String address = nodes.get(node).address();
        links.get(node).to(address);
        channels.set(node, channel(address));
        if (node == 0) {
            clients.to(address);
        }
    }

    /** Loads as a later epoch, and joins. */
    void load() {
        load(ends);
    }

    /**
     * The same, cut elsewhere.
     *
     * @param cuts the end layer of each node
     */
    void load(List<Integer> cuts) {
        long later = next(cuts);
        Placement.Builder placement =
                Placement.newBuilder().setStrategy("pipeline").setLayers(LAYERS);
        for (int i = 0; i < nodes.size(); i++) {
            placement.addShards(Shard.newBuilder()
                    .setNode(name(i))
                    .setAddress(links.get(i).address())
                    .setFirstLayer(i == 0 ? 0 : cuts.get(i - 1))
                    .setEndLayer(cuts.get(i)));
        }
        everywhere(i -> node(i).load(request(i, later, placement.build())).forEachRemaining(progress -> {}));
        everywhere(i -> node(i).join(JoinRequest.newBuilder()
                .setDeployment(ID)
                .setEpoch(later)
                .build()));
    }

    /** Of two that place at once the later one wins. */
    private synchronized long next(List<Integer> cuts) {
        ends = cuts;
        return ++epoch;
    }

    private LoadRequest request(int node, long later, Placement placement) {
        ModelIdentity model = ModelIdentity.of(model(node));
        return LoadRequest.newBuilder()
                .setDeployment(ID)
                .setEpoch(later)
                .setClient("test")
                .setModel(org.espalier.v1.ModelIdentity.newBuilder()
                        .setName(model.name())
                        .setRevision(model.revision())
                        .setHash(model.hash())
                        .setPath(model.path()))
                .setPlacement(placement)
                .setShard(node)
                .setPrecision("float32")
                .setForce(true)
                .build();
    }

    private void everywhere(IntConsumer call) {
        List<CompletableFuture<Void>> all = IntStream.range(0, nodes.size())
                .mapToObj(i -> CompletableFuture.runAsync(() -> call.accept(i)))
                .toList();
        try {
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException known ? known : e;
        }
    }

    void unload(int node) {
        node(node)
                .unload(UnloadRequest.newBuilder()
                        .setDeployment(ID)
                        .setClient("test")
                        .setForce(true)
                        .build());
    }

    long epoch() {
        return epoch;
    }

    NodeGrpc.NodeBlockingStub node(int index) {
        return NodeGrpc.newBlockingStub(channels.get(index)).withDeadlineAfter(30, TimeUnit.SECONDS);
    }

    /** A client's own connection to the head. */
    ManagedChannel client() {
        return channel(clients.address());
    }

    DescribeReply describe(int node) {
        return node(node).describe(DescribeRequest.getDefaultInstance());
    }

    /** Whether all nodes say that the present epoch serves. */
    boolean serves() {
        return IntStream.range(0, nodes.size())
                .allMatch(i -> states(i).anyMatch(state -> state.getServing() && state.getEpoch() == epoch));
    }

    int sessions() {
        return IntStream.range(0, nodes.size())
                .map(i -> states(i).mapToInt(DeploymentState::getSessions).sum())
                .sum();
    }

    private Stream<DeploymentState> states(int node) {
        return describe(node).getDeploymentsList().stream();
    }

    @Override
    public void close() throws IOException {
        channels.forEach(ManagedChannel::shutdownNow);
        for (Relay link : links) {
            link.close();
        }
        clients.close();
        nodes.forEach(NodeProcess::close);
        try (Stream<Path> all = Files.walk(files)) {
            for (Path file : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
