package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.espalier.EspalierException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;
import org.espalier.v1.Frame;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Hello;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.ModelIdentity;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.RingGrpc;
import org.espalier.v1.Shard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What one client may not use up: each limit refuses with a sentence, and the node goes on. */
@Timeout(60)
class LimitsTest {

    private static final Duration SOON = Duration.ofSeconds(20);

    private static NodeServer node(Limit limit, int most) {
        return NodeServer.start(NodeOptions.loopback("n0").with(new Limits(Map.of(limit, most))), new FakeLoader());
    }

    private static Socket dial(NodeServer node) throws IOException {
        Socket socket = new Socket("127.0.0.1", node.port());
        socket.setSoTimeout((int) SOON.toMillis());
        return socket;
    }

    /** A server of HTTP/2 speaks first. */
    private static boolean accepted(Socket socket) {
        try {
            return socket.getInputStream().read() >= 0;
        } catch (IOException e) {
            return false; // reset
        }
    }

    @Test
    void closesConnectionsBeyondTheLimitAndSaysSoOnce() throws Exception {
        List<String> said = Collections.synchronizedList(new ArrayList<>());
        Logger log = Logger.getLogger(Connections.class.getName());
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                said.add(record.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        log.addHandler(handler);
        try (NodeServer node = node(Limit.CONNECTIONS, 2);
                Socket first = dial(node);
                Socket second = dial(node)) {
            assertThat(accepted(first)).isTrue();
            assertThat(accepted(second)).isTrue();
            for (int i = 0; i < 20; i++) {
                try (Socket further = dial(node)) {
                    assertThat(accepted(further)).isFalse();
                }
            }
            assertThat(said)
                    .singleElement()
                    .asString()
                    .startsWith("node n0 has 2 connections and refuses further ones, as the one from /127.0.0.1:");
            first.close();
            FakeRing.eventually(SOON, () -> {
                try (Socket again = dial(node)) {
                    return accepted(again);
                } catch (IOException e) {
                    return false;
                }
            });
            assertThat(said.get(1)).startsWith("node n0 takes connections again; it has refused 2");
        } finally {
            log.removeHandler(handler);
        }
    }

    @Test
    void endsAConnectionThatDoesNotSayWhatItIs() throws Exception {
        try (NodeServer node = node(Limit.HANDSHAKE_SECONDS, 1);
                Socket silent = dial(node)) {
            assertThat(silent.getInputStream().readAllBytes()).isNotEmpty(); // to its end
        }
    }

    @Test
    void endsAConnectionWithoutCalls() throws Exception {
        try (NodeServer node = node(Limit.IDLE_SECONDS, 1)) {
            ManagedChannel channel = channel(node);
            describe(channel);
            FakeRing.eventually(SOON, () -> channel.getState(false) == ConnectivityState.IDLE);
            describe(channel); // connects again
            channel.shutdownNow();
        }
    }

    @Test
    void refusesALargeRequestAndLargeFirstFrames() throws Exception {
        try (NodeServer node = node(Limit.REQUEST_BYTES, 100_000)) {
            ManagedChannel channel = channel(node);
            String large = "x".repeat(100_001);
            NodeGrpc.NodeBlockingStub stub = NodeGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
            exhausted(
                    () -> stub.generate(GenerateRequest.newBuilder()
                                    .setClient(large)
                                    .build())
                            .hasNext(),
                    "a request of more than 100000 request-bytes is too large for node n0");
            Ended<AttachPong> attached = new Ended<>();
            StreamObserver<AttachPing> pings = NodeGrpc.newStub(channel).attach(attached);
            for (int i = 0; i < 3; i++) {
                pings.onNext(AttachPing.newBuilder()
                        .setClient("y".repeat(40_000))
                        .build()); // each by itself is none too many
            }
            attached.awaitMessage();
            pings.onNext(AttachPing.newBuilder().setClient(large).build());
            exhausted(attached::end, "a request of more than 100000 request-bytes is too large for node n0");
            Ended<Frame> linked = new Ended<>();
            RingGrpc.newStub(channel)
                    .link(linked)
                    .onNext(Frame.newBuilder()
                            .setHello(Hello.newBuilder().setNode(large))
                            .build());
            exhausted(linked::end, "a request of more than 100000 request-bytes is too large for node n0");
            describe(channel); // the connection stands
            channel.shutdownNow();
        }
    }

    @Test
    void refusesLongPromptsAndStopLists() {
        try (FakeRing ring = FakeRing.serving(1)) {
            GenerateRequest.Builder request = FakeRing.request(3, 2);
            exhausted(
                    () -> ring.generate(request.clone()
                            .addAllStopTokens(Collections.nCopies(1025, 1))
                            .build()),
                    "the request has 1025 stop-tokens, node n0 takes at most 1024");
            exhausted(
                    () -> ring.generate(request.clone()
                            .addAllStopStrings(Collections.nCopies(65, "a"))
                            .build()),
                    "the request has 65 stop-strings, node n0 takes at most 64");
            exhausted(
                    () -> ring.generate(
                            request.clone().addStopStrings("a".repeat(8193)).build()),
                    "the request has 8193 stop-characters, node n0 takes at most 8192");
            exhausted(
                    () -> ring.generate(request.clone()
                            .addAllPrompt(Collections.nCopies(1 << 20, 1))
                            .build()),
                    "the prompt has 1048579 prompt-tokens, node n0 takes at most 1048576");
            assertThat(FakeRing.tokens(ring.generate(request.build()))).hasSize(2);
        }
    }

    @Test
    void refusesOneDeploymentTooMany() {
        try (NodeServer node = node(Limit.DEPLOYMENTS, 2)) {
            ManagedChannel channel = channel(node);
            for (String id : List.of("a", "b", "a")) { // one that is there may be placed again
                load(channel, id, 1 + describe(channel));
            }
            exhausted(() -> load(channel, "c", 1), "there would be 3 deployments, node n0 takes at most 2");
            assertThat(describe(channel)).isEqualTo(2);
            channel.shutdownNow();
        }
    }

    @Test
    void aLimitIsAtLeastOne() {
        assertThatThrownBy(() -> new Limits(Map.of(Limit.CALLS, 0)))
                .isInstanceOf(EspalierException.class)
                .hasMessage("the limit calls is 0: choose 1 or more");
    }

    private static void load(ManagedChannel channel, String id, int epoch) {
        org.espalier.v1.Placement.Builder placement =
                org.espalier.v1.Placement.newBuilder().setStrategy("pipeline").setLayers(FakeRing.LAYERS);
        placement.addShards(Shard.newBuilder().setNode("n0").setEndLayer(FakeRing.LAYERS));
        NodeGrpc.newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .load(LoadRequest.newBuilder()
                        .setDeployment(id)
                        .setEpoch(epoch)
                        .setClient("test")
                        .setModel(ModelIdentity.newBuilder().setName("fake").setHash("0".repeat(64)))
                        .setPlacement(placement)
                        .setPrecision("float32")
                        .build())
                .forEachRemaining(progress -> {});
    }

    private static ManagedChannel channel(NodeServer node) {
        return Grpc.newChannelBuilder(node.address(), InsecureChannelCredentials.create())
                .build();
    }

    /** How many deployments there are. */
    private static int describe(ManagedChannel channel) {
        return NodeGrpc.newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .describe(org.espalier.v1.DescribeRequest.getDefaultInstance())
                .getDeploymentsCount();
    }

    private static void exhausted(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
        assertThatThrownBy(call)
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessage("RESOURCE_EXHAUSTED: " + message)
                .satisfies(error -> assertThat(FailureStatus.details(error))
                        .hasValueSatisfying(
                                failure -> assertThat(failure.kind()).isEqualTo(Failure.Kind.EXHAUSTED)));
    }

    private static final class Ended<T> implements StreamObserver<T> {
        private final CompletableFuture<T> message = new CompletableFuture<>();
        private final CompletableFuture<Throwable> error = new CompletableFuture<>();

        void awaitMessage() throws Exception {
            message.get(20, TimeUnit.SECONDS);
        }

        void end() throws Throwable {
            throw error.get(20, TimeUnit.SECONDS);
        }

        @Override
        public void onNext(T value) {
            message.complete(value);
        }

        @Override
        public void onError(Throwable failure) {
            error.complete(failure);
        }

        @Override
        public void onCompleted() {
            error.complete(new AssertionError("it ended without an error"));
        }
    }
}
