package org.espalier.node.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.node.ring.PlacementDigest;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.v1.Failure;
import org.espalier.v1.Frame;
import org.espalier.v1.Hello;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.ModelIdentity;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.espalier.v1.RingGrpc;
import org.espalier.v1.Shard;
import org.espalier.v1.StepFrame;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On a slow wire a frame takes longer than a neighbour may be silent. */
@Timeout(60)
class SlowWireTest {

    /** How the node ended the link. */
    private static final class Ended implements StreamObserver<Frame> {
        private final CompletableFuture<Void> accepted = new CompletableFuture<>();
        private final CompletableFuture<Failure> failure = new CompletableFuture<>();

        @Override
        public void onNext(Frame frame) {
            if (frame.hasHeartbeat()) {
                accepted.complete(null);
            } else if (frame.hasFailure()) {
                failure.complete(frame.getFailure());
            }
        }

        @Override
        public void onError(Throwable error) {
            failure.completeExceptionally(error);
        }

        @Override
        public void onCompleted() {}
    }

    private static Shard shard(String node, String address, int first) {
        return Shard.newBuilder()
                .setNode(node)
                .setAddress(address)
                .setFirstLayer(first)
                .setEndLayer(first + 3)
                .build();
    }

    @Test
    void aNeighbourWhoseFrameIsStillComingIsNotSilent() throws Exception {
        try (NodeServer node = NodeServer.start(NodeOptions.loopback("n1"), new FakeLoader());
                Relay relay = new Relay(node.address())) {
            ManagedChannel client = channel(node.address());
            LoadRequest request = LoadRequest.newBuilder()
                    .setDeployment("d")
                    .setEpoch(1)
                    .setClient("test")
                    .setModel(ModelIdentity.newBuilder().setName("fake").setHash("0".repeat(64)))
                    .setPlacement(Placement.newBuilder()
                            .setStrategy("pipeline")
                            .setLayers(6)
                            .addShards(shard("n0", "127.0.0.1:1", 0))
                            .addShards(shard("n1", node.address(), 3)))
                    .setShard(1)
                    .setPrecision("float32")
                    .build();
            NodeGrpc.newBlockingStub(client)
                    .withDeadlineAfter(20, TimeUnit.SECONDS)
                    .load(request)
                    .forEachRemaining(progress -> {});
            ManagedChannel previous = channel(relay.address());
            Ended ended = new Ended();
            StreamObserver<Frame> link = RingGrpc.newStub(previous).link(ended);
            link.onNext(Frame.newBuilder()
                    .setHello(Hello.newBuilder()
                            .setDeployment("d")
                            .setEpoch(1)
                            .setNode("n0")
                            .setEngine("fake")
                            .setPrecision("float32")
                            .setActivationBytes(4)
                            .setIncarnation(1)
                            .setDigest(PlacementDigest.of(request)))
                    .build());
            ended.accepted.get(20, TimeUnit.SECONDS);
            relay.throttle(1_000_000);
            link.onNext(Frame.newBuilder()
                    .setNumber(7) // which is not the next
                    .setStep(StepFrame.newBuilder().setActivations(ByteString.copyFrom(new byte[4_000_000])))
                    .build());
            assertThat(ended.failure.get(20, TimeUnit.SECONDS).getMessage()).endsWith("received frame 7, expected 1");
            previous.shutdownNow();
            client.shutdownNow();
        }
    }

    private static ManagedChannel channel(String address) {
        return Grpc.newChannelBuilder(address, InsecureChannelCredentials.create())
                .build();
    }
}
