package org.espalier.node.service;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.LoadProgress;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.ModelIdentity;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.espalier.v1.Shard;
import org.espalier.v1.UnloadRequest;

/** Nodes in this JVM with fake models, spoken to by bare stubs: what the protocol does, without the client's help. */
final class FakeRing implements AutoCloseable {

    static final int LAYERS = 6;
    static final String ID = "d";

    final List<FakeLoader> loaders = new ArrayList<>();
    final List<NodeServer> nodes = new ArrayList<>();
    final List<ManagedChannel> channels = new ArrayList<>();

    FakeRing(int count) {
        this(count, Limits.usual());
    }

    FakeRing(int count, Limits limits) {
        for (int i = 0; i < count; i++) {
            loaders.add(new FakeLoader());
            nodes.add(NodeServer.start(NodeOptions.loopback("n" + i).with(limits), loaders.get(i)));
            connect(nodes.get(i));
        }
    }

    void connect(NodeServer node) {
        channels.add(Grpc.newChannelBuilder(node.address(), InsecureChannelCredentials.create())
                .build());
    }

    /** A ring that serves. */
    static FakeRing serving(int count) {
        FakeRing ring = new FakeRing(count);
        ring.place(1, "fake");
        return ring;
    }

    void place(long epoch, String model) {
        Placement placement = even(nodes.size());
        for (int i = 0; i < nodes.size(); i++) {
            load(i, epoch, model, placement);
        }
        join(epoch);
    }

    LoadProgress load(int node, long epoch, String model, Placement placement) {
        Iterator<LoadProgress> progress =
                node(node).load(request(node, epoch, model, placement).build());
        LoadProgress last = null;
        while (progress.hasNext()) {
            last = progress.next();
        }
        return last;
    }

    LoadRequest.Builder request(int node, long epoch, String model, Placement placement) {
        return LoadRequest.newBuilder()
                .setDeployment(ID)
                .setEpoch(epoch)
                .setClient("test")
                .setModel(ModelIdentity.newBuilder().setName(model).setHash("0".repeat(64)))
                .setPlacement(placement)
                .setShard(node)
                .setPrecision("float32");
    }

    void join(long epoch) {
        for (int i = 0; i < nodes.size(); i++) {
            node(i).join(JoinRequest.newBuilder()
                    .setDeployment(ID)
                    .setEpoch(epoch)
                    .build());
        }
    }

    void unload(int node) {
        node(node)
                .unload(UnloadRequest.newBuilder()
                        .setDeployment(ID)
                        .setClient("test")
                        .build());
    }

    /** Layers spread over the first {@code count} nodes. */
    Placement even(int count) {
        Placement.Builder placement =
                Placement.newBuilder().setStrategy("pipeline").setLayers(LAYERS);
        for (int i = 0; i < count; i++) {
            placement.addShards(shard(i, LAYERS * i / count, LAYERS * (i + 1) / count));
        }
        return placement.build();
    }

    Shard shard(int node, int first, int end) {
        return Shard.newBuilder()
                .setNode("n" + node)
                .setAddress(nodes.get(node).address())
                .setFirstLayer(first)
                .setEndLayer(end)
                .build();
    }

    NodeGrpc.NodeBlockingStub node(int index) {
        return NodeGrpc.newBlockingStub(channels.get(index)).withDeadlineAfter(30, TimeUnit.SECONDS);
    }

    DescribeReply describe(int index) {
        return node(index).describe(DescribeRequest.getDefaultInstance());
    }

    int sessions() {
        int sum = 0;
        for (int i = 0; i < nodes.size(); i++) {
            sum += describe(i).getDeploymentsList().stream()
                    .mapToInt(d -> d.getSessions())
                    .sum();
        }
        return sum;
    }

    static GenerateRequest.Builder request(int prompt, int maxTokens) {
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setDeployment(ID)
                .setEpoch(1)
                .setClient("test")
                .setMaxTokens(maxTokens);
        for (int i = 0; i < prompt; i++) {
            request.addPrompt((i * 13 + prompt) % FakeProgram.VOCABULARY);
        }
        return request;
    }

    List<GenerateReply> generate(GenerateRequest request) {
        List<GenerateReply> replies = new ArrayList<>();
        node(0).generate(request).forEachRemaining(replies::add);
        return replies;
    }

    static List<Integer> tokens(List<GenerateReply> replies) {
        return replies.stream()
                .filter(GenerateReply::hasToken)
                .map(reply -> reply.getToken().getId())
                .toList();
    }

    static void eventually(Duration limit, BooleanSupplier condition) throws InterruptedException {
        long until = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > until) {
                throw new AssertionError("did not come within " + limit);
            }
            Thread.sleep(20);
        }
    }

    @Override
    public void close() {
        channels.forEach(ManagedChannel::shutdownNow);
        nodes.forEach(NodeServer::close);
    }
}
