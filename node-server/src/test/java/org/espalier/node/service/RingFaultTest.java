package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.node.ring.PlacementDigest;
import org.espalier.v1.CloseSession;
import org.espalier.v1.Frame;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.Hello;
import org.espalier.v1.OpenSession;
import org.espalier.v1.RingGrpc;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepFrame;
import org.espalier.v1.StepOutcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lost nodes and hostile frames: a clear failure in time, the other nodes live on. */
class RingFaultTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aLostNodeFailsGenerationsByItsName(int lost) throws Exception {
        try (FakeRing ring = FakeRing.serving(3)) {
            ring.loaders.get(0).loaded.get(0).rowMillis = 20;
            Iterator<GenerateReply> replies =
                    ring.node(0).generate(FakeRing.request(4, 1500).build());
            while (!replies.next().hasToken()) {}
            String address = ring.nodes.get(lost).address();
            long begin = System.nanoTime();
            ring.nodes.get(lost).crash();
            assertThatThrownBy(() -> replies.forEachRemaining(reply -> {}))
                    .isInstanceOf(StatusRuntimeException.class)
                    .hasMessageContaining("UNAVAILABLE: node n" + lost + " (" + address + ") is lost: ")
                    .satisfies(error -> assertThat(FailureStatus.details(error)).hasValueSatisfying(failure -> {
                        assertThat(failure.node()).isEqualTo("n" + lost);
                        assertThat(failure.kind()).isEqualTo(Failure.Kind.NODE_LOST);
                        assertThat(failure.remedy()).contains(Remedy.AWAIT_REJOIN);
                    }));
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
            int other = 3 - lost;
            FakeRing.eventually(Duration.ofSeconds(10), () -> sessions(ring, 0) + sessions(ring, other) == 0);
            assertThat(ring.describe(0).getDeployments(0).getServing()).isFalse();
            assertThat(ring.describe(other).getDeployments(0).getServing()).isFalse();
            assertThatThrownBy(() -> ring.generate(FakeRing.request(4, 3).build()))
                    .hasMessageContaining("node n" + lost + " (" + address + ") is lost");
        }
    }

    @Test
    void aNodeThatIsShutDownInOrderIsNamedToo() {
        try (FakeRing ring = FakeRing.serving(3)) {
            ring.loaders.get(0).loaded.get(0).rowMillis = 20;
            Iterator<GenerateReply> replies =
                    ring.node(0).generate(FakeRing.request(4, 1500).build());
            while (!replies.next().hasToken()) {}
            ring.nodes.get(1).close();
            assertThatThrownBy(() -> replies.forEachRemaining(reply -> {}))
                    .hasMessageContaining("node n1 (")
                    .hasMessageContaining("is lost: it was shut down");
        }
    }

    @Test
    void anUnloadedShardIsNamed() {
        try (FakeRing ring = FakeRing.serving(2)) {
            ring.unload(1);
            assertThatThrownBy(() -> ring.generate(FakeRing.request(4, 3).build()))
                    .hasMessageContaining("deployment 'd' was unloaded on node n1");
        }
    }

    @Test
    void aSilentLinkIsALostNode() throws Exception {
        try (FakeRing ring = new FakeRing(2)) {
            ring.load(1, 1, "fake", ring.even(2));
            Caller silent = new Caller(ring, 1);
            silent.send(hello("n0", 1));
            assertThat(silent.failure()).contains("node n0 (").contains("is lost: it has been silent for 1.5 s");
        }
    }

    @Test
    void refusesAnOlderEpoch() throws Exception {
        try (FakeRing ring = new FakeRing(2)) {
            ring.load(1, 5, "fake", ring.even(2));
            refuses(
                    ring,
                    hello("n0", 4),
                    "NOT_FOUND: deployment 'd' has epoch 5 on node n1, but epoch 4 was asked for");
        }
    }

    @Test
    void refusesWhoIsNotTheFormerNode() throws Exception {
        try (FakeRing ring = new FakeRing(3)) {
            ring.load(2, 1, "fake", ring.even(3));
            Caller caller = new Caller(ring, 2);
            caller.send(hello("n0", 1));
            assertThat(caller.failure()).contains("node 'n0' does not come before node n2");
        }
    }

    @Test
    void refusesAnUnknownDeploymentAndASecondLink() throws Exception {
        try (FakeRing ring = FakeRing.serving(2)) {
            Frame.Builder stranger = Frame.newBuilder()
                    .setHello(Hello.newBuilder().setDeployment("x").setEpoch(1).setNode("n0"));
            refuses(ring, stranger, "NOT_FOUND: node n1 has no deployment 'x'");
            refuses(ring, hello("n0", 1), "FAILED_PRECONDITION: node n1");
            serves(ring);
        }
    }

    @Test
    void refusesALinkThatDoesNotBeginWithHello() throws Exception {
        try (FakeRing ring = FakeRing.serving(2)) {
            refuses(ring, close(0), "INVALID_ARGUMENT: the first frame of a link must be Hello with number 0");
            refuses(ring, hello("n0", 1).setNumber(3), "INVALID_ARGUMENT: the first frame");
            refuses(ring, Frame.newBuilder(), "INVALID_ARGUMENT: the first frame");
            serves(ring);
        }
    }

    @Test
    void aDoubledFrameIsAnError() throws Exception {
        breaks(
                caller -> {
                    caller.send(close(1));
                    caller.send(close(1));
                },
                "broke the protocol: received frame 1, expected 2");
    }

    @Test
    void aLostFrameIsAnError() throws Exception {
        breaks(caller -> caller.send(close(2)), "broke the protocol: received frame 2, expected 1");
    }

    @Test
    void anEmptyFrameIsAnError() throws Exception {
        breaks(caller -> caller.send(Frame.newBuilder().setNumber(1)), "a frame is empty or of an unknown kind");
    }

    @Test
    void framesThatNoStageTakesAreErrors() throws Exception {
        breaks(caller -> caller.send(hello("n0", 1).setNumber(1)), "HELLO frames are not meant for a stage");
        breaks(
                caller -> caller.send(Frame.newBuilder().setNumber(1).setOutcome(StepOutcome.getDefaultInstance())),
                "OUTCOME frames are not meant for a stage");
    }

    @Test
    void aFloodOfFramesEndsTheRingNotTheMemory() throws Exception {
        try (FakeRing ring = new FakeRing(2)) {
            ring.load(1, 1, "fake", ring.even(2));
            FakeProgram program = ring.loaders.get(1).loaded.get(0);
            program.rowMillis = 60_000;
            Caller caller = new Caller(ring, 1);
            caller.send(hello("n0", 1));
            caller.send(Frame.newBuilder()
                    .setNumber(1)
                    .setOpen(OpenSession.newBuilder().setSession(1).setMaxLength(10)));
            caller.send(step(2, 4 * FakeProgram.HIDDEN));
            for (int number = 3; number < 5000; number++) {
                caller.send(close(number));
            }
            assertThat(caller.failure()).contains("more than 4096 frames are waiting");
            FakeRing.eventually(Duration.ofSeconds(5), () -> sessions(ring, 1) == 0);
        }
    }

    @Test
    void theNextNodeIsNotThere() {
        try (FakeRing ring = new FakeRing(2)) {
            ring.load(0, 1, "fake", ring.even(2));
            assertThatThrownBy(() -> ring.join(1))
                    .hasMessageContaining("node n0 (")
                    .hasMessageContaining("cannot join the next: node n1 has no deployment 'd'");
            String address = ring.nodes.get(1).address();
            ring.nodes.get(1).crash();
            ring.load(0, 2, "fake", ring.even(2));
            assertThatThrownBy(() -> ring.join(2))
                    .hasMessageContaining("cannot join the next: node n1 (" + address + ") is lost");
        }
    }

    private static void refuses(FakeRing ring, Frame.Builder first, String message) throws Exception {
        Caller caller = new Caller(ring, 1);
        caller.send(first);
        assertThat(caller.failure()).contains(message);
        assertThat(ring.describe(1).getNode()).isEqualTo("n1");
    }

    /** A caller that is accepted as the previous node and then sends garbage: told why, and the node serves a new epoch afterwards. */
    private static void breaks(Consumer<Caller> garbage, String message) throws Exception {
        try (FakeRing ring = new FakeRing(2)) {
            ring.load(1, 1, "fake", ring.even(2));
            Caller caller = new Caller(ring, 1);
            caller.send(hello("n0", 1));
            garbage.accept(caller);
            assertThat(caller.failure()).contains("node n0 (").contains(message);
            assertThat(ring.describe(1).getDeployments(0).getServing()).isFalse();
            ring.place(2, "fake");
            assertThat(FakeRing.tokens(
                            ring.generate(FakeRing.request(4, 3).setEpoch(2).build())))
                    .hasSize(3);
        }
    }

    private static void serves(FakeRing ring) {
        assertThat(FakeRing.tokens(ring.generate(FakeRing.request(4, 3).build())))
                .hasSize(3);
    }

    private static int sessions(FakeRing ring, int node) {
        return ring.describe(node).getDeployments(0).getSessions();
    }

    private static Frame.Builder hello(String node, long epoch) {
        return Frame.newBuilder()
                .setHello(Hello.newBuilder()
                        .setDeployment(FakeRing.ID)
                        .setEpoch(epoch)
                        .setNode(node)
                        .setEngine("fake")
                        .setPrecision("float32")
                        .setActivationBytes(Float.BYTES));
    }

    private static Frame.Builder close(long number) {
        return Frame.newBuilder()
                .setNumber(number)
                .setClose(CloseSession.newBuilder().setSession(77));
    }

    private static Frame.Builder step(long number, int bytes) {
        return Frame.newBuilder()
                .setNumber(number)
                .setStep(StepFrame.newBuilder()
                        .addEntries(StepEntry.newBuilder().setSession(1).addTokens(1))
                        .setActivations(ByteString.copyFrom(new byte[bytes])));
    }

    /** Plays the previous node of a ring; hears how the node answers. */
    private static final class Caller implements StreamObserver<Frame> {
        private final CompletableFuture<String> failure = new CompletableFuture<>();
        private final StreamObserver<Frame> frames;
        private final ByteString digest;

        private Caller(FakeRing ring, int node) {
            digest = PlacementDigest.of(
                    ring.request(0, 1, "fake", ring.even(ring.nodes.size())).build());
            frames = RingGrpc.newStub(ring.channels.get(node)).link(this);
        }

        /** Says of the placement what the ring's own nodes say. */
        private void send(Frame.Builder frame) {
            if (frame.hasHello()) {
                frame.getHelloBuilder().setDigest(digest);
            }
            frames.onNext(frame.build());
        }

        private String failure() throws Exception {
            return failure.get(15, TimeUnit.SECONDS);
        }

        @Override
        public void onNext(Frame frame) {
            if (frame.hasFailure()) {
                failure.complete(frame.getFailure().getMessage());
            }
        }

        @Override
        public void onError(Throwable error) {
            Status status = Status.fromThrowable(error);
            failure.complete(status.getCode() + ": " + status.getDescription());
        }

        @Override
        public void onCompleted() {
            failure.complete("completed");
        }
    }
}
