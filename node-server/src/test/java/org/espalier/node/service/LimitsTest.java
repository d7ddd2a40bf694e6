package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.espalier.EspalierException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;
import org.espalier.v1.Frame;
import org.espalier.v1.GenerateReply;
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
    void aConnectionBeyondTheLimitIsToldSoAndEnds() throws Exception {
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
            ManagedChannel late = channel(node);
            exhausted(() -> describe(late), "node n0 has 2 connections already: try again when one has ended");
            FakeRing.eventually(SOON, () -> late.getState(false) == ConnectivityState.IDLE);
            late.shutdownNow();
            ManagedChannel peer = channel(node); // a link is served
            Ended<Frame> linked = new Ended<>();
            RingGrpc.newStub(peer)
                    .link(linked)
                    .onNext(Frame.newBuilder()
                            .setHello(Hello.newBuilder().setDeployment("x"))
                            .build());
            assertThatThrownBy(linked::end).hasMessageContaining("node n0 has no deployment 'x'");
            peer.shutdownNow();
            List<Socket> further = new ArrayList<>();
            FakeRing.eventually(SOON, () -> {
                try {
                    further.add(dial(node));
                } catch (IOException e) {
                    return false;
                }
                return !accepted(further.get(further.size() - 1)); // there is no room even to say it
            });
            assertThat(further).hasSizeBetween(30, 60);
            for (Socket socket : further) {
                socket.close();
            }
            assertThat(said)
                    .singleElement()
                    .asString()
                    .startsWith("node n0 has 2 connections and refuses further ones, as the one from /127.0.0.1:");
            first.close();
            ManagedChannel again = channel(node);
            FakeRing.eventually(SOON, () -> {
                try {
                    return describe(again) == 0;
                } catch (StatusRuntimeException e) {
                    again.resetConnectBackoff();
                    return false;
                }
            });
            again.shutdownNow();
            assertThat(said.get(1)).startsWith("node n0 takes connections again; it has refused ");
        } finally {
            log.removeHandler(handler);
        }
    }

    @Test
    void refusesACallTooManyInsteadOfLettingItWait() throws Exception {
        try (NodeServer node = node(Limit.CALLS, 2)) {
            ManagedChannel channel = channel(node);
            List<StreamObserver<AttachPing>> attached = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                Ended<AttachPong> answers = new Ended<>();
                attached.add(NodeGrpc.newStub(channel).attach(answers));
                attached.get(i)
                        .onNext(AttachPing.newBuilder()
                                .setClient("c" + i)
                                .setDeployment("d")
                                .build());
                answers.awaitMessage();
            }
            exhausted(
                    () -> describe(channel),
                    "node n0 takes at most 2 calls at once on one connection: try again when one has ended");
            attached.get(0).onCompleted();
            FakeRing.eventually(SOON, () -> {
                try {
                    return describe(channel) == 0;
                } catch (StatusRuntimeException e) {
                    return false;
                }
            });
            channel.shutdownNow();
        }
    }

    /** Takes as many replies as it is told to. */
    private static final class Slow implements ClientResponseObserver<GenerateRequest, GenerateReply> {
        private final List<GenerateReply> replies = Collections.synchronizedList(new ArrayList<>());
        private final CompletableFuture<Optional<Throwable>> over = new CompletableFuture<>();
        private volatile ClientCallStreamObserver<GenerateRequest> call;

        @Override
        public void beforeStart(ClientCallStreamObserver<GenerateRequest> started) {
            call = started;
            started.disableAutoRequestWithInitial(0);
        }

        @Override
        public void onNext(GenerateReply reply) {
            replies.add(reply);
        }

        @Override
        public void onError(Throwable error) {
            over.complete(Optional.of(error));
        }

        @Override
        public void onCompleted() {
            over.complete(Optional.empty());
        }
    }

    /** A generation whose client reads nothing, once it has paused. */
    private static Slow paused(FakeRing ring) throws InterruptedException {
        ring.place(1, "fake");
        ring.channels.add(
                NettyChannelBuilder.forAddress("127.0.0.1", ring.nodes.get(0).port())
                        .usePlaintext()
                        .flowControlWindow(1000) // the usual one has room for all of it
                        .build());
        Slow slow = new Slow();
        NodeGrpc.newStub(ring.channels.get(1))
                .generate(FakeRing.request(500, 1000).setRouting(true).build(), slow);
        FakeProgram program = ring.loaders.get(0).loaded.get(0);
        AtomicInteger seen = new AtomicInteger();
        AtomicInteger quiet = new AtomicInteger();
        FakeRing.eventually(SOON, () -> {
            int steps = program.steps.get();
            quiet.set(steps > 0 && seen.getAndSet(steps) == steps ? quiet.get() + 1 : 0);
            return quiet.get() == 25; // looks, 20 ms apart
        });
        assertThat(program.steps.get()).isLessThan(1000);
        assertThat(slow.over).isNotDone();
        return slow;
    }

    @Test
    void aClientThatReadsAgainGetsAllOfItsGeneration() throws Exception {
        try (FakeRing ring = new FakeRing(1, new Limits(Map.of(Limit.UNREAD_BYTES, 1000)))) {
            Slow slow = paused(ring);
            slow.call.request(Integer.MAX_VALUE);
            assertThat(slow.over.get(20, TimeUnit.SECONDS)).isEmpty();
            assertThat(FakeRing.tokens(slow.replies)).hasSize(1000);
        }
    }

    @Test
    void aClientThatReadsNothingEndsItsGenerationAlone() throws Exception {
        try (FakeRing ring = new FakeRing(1, new Limits(Map.of(Limit.UNREAD_BYTES, 1000, Limit.UNREAD_SECONDS, 2)))) {
            Slow slow = paused(ring);
            assertThat(FakeRing.tokens(ring.generate(FakeRing.request(3, 20).build())))
                    .hasSize(20);
            FakeRing.eventually(SOON, () -> ring.sessions() == 0);
            slow.call.request(Integer.MAX_VALUE);
            assertThat(slow.over.get(20, TimeUnit.SECONDS))
                    .hasValueSatisfying(error -> assertThat(error).hasMessageContaining(" bytes unread for 2 s"));
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

    /** As a later version might have. */
    private static UnknownFieldSet unknown(int bytes) {
        return UnknownFieldSet.newBuilder()
                .addField(
                        1000,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(ByteString.copyFrom(new byte[bytes]))
                                .build())
                .build();
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
            pings.onNext(AttachPing.newBuilder().setClient("c").build());
            for (int i = 0; i < 3; i++) {
                pings.onNext(AttachPing.newBuilder()
                        .setClient("y")
                        .setUnknownFields(unknown(40_000))
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
