package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.NodeGrpc;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the requests of all clients may have of the memory together. */
@Timeout(60)
class RequestMemoryTest {

    /** Three quarters of it are for messages: 400,000 bytes of the wire. */
    private static final Limits FOUR = new Limits(Map.of(Limit.ALL_REQUEST_BYTES, 8_533_333, Limit.CONNECTIONS, 4));

    private static final String TOO_MANY = "RESOURCE_EXHAUSTED: node n0 has [0-9]+ all-request-bytes of unanswered"
            + " requests, too many of them on this connection: try again when some are answered";

    @Test
    void aConnectionHasAsMuchAsIsLeftForOthersAndAnEvenShareInAnyCase() {
        RequestMemory memory = new RequestMemory(400_000, 4);
        assertThat(memory.take("a", 200_000)).isTrue();
        assertThat(memory.take("a", 1)).isFalse();
        memory.giveBack("a", 1);
        assertThat(memory.take("b", 100_000)).isTrue();
        assertThat(memory.take("c", 100_000)).isTrue();
        assertThat(memory.take("d", 100_000)).isTrue();
        assertThat(memory.take("d", 1)).isFalse();
        assertThat(memory.taken()).isEqualTo(500_001);
        memory.giveBack("a", 200_000);
        memory.giveBack("b", 100_000);
        assertThat(memory.take("d", 49_999)).isTrue();
        assertThat(memory.taken()).isEqualTo(250_000);
    }

    @Test
    void unfinishedRequestsLeaveRoomForThoseOfOthers() throws Exception {
        try (NodeServer node = NodeServer.start(NodeOptions.loopback("n0").with(FOUR), new FakeLoader());
                UnfinishedCalls flood = new UnfinishedCalls(node)) {
            for (int i = 0; i < 20; i++) {
                flood.begin(50_000);
            }
            ManagedChannel channel = Grpc.newChannelBuilder(node.address(), InsecureChannelCredentials.create())
                    .build();
            FakeRing.eventually(
                    Duration.ofSeconds(20), () -> answer(channel, 210_000).matches(TOO_MANY));
            assertThat(IntStream.range(0, 20).mapToObj(i -> answer(channel, 90_000)))
                    .allMatch("NOT_FOUND: node n0 has no deployment ''"::equals);
            flood.close();
            FakeRing.eventually(
                    Duration.ofSeconds(20),
                    () -> answer(channel, 190_000).equals("NOT_FOUND: node n0 has no deployment ''"));
            channel.shutdownNow();
        }
    }

    /** The same connection goes on. */
    @Test
    void tooManyCallsThatWaitAreRefused() throws Exception {
        try (FakeRing ring = new FakeRing(1, new Limits(Map.of(Limit.ALL_REQUEST_BYTES, 320_000)))) {
            ring.place(1, "fake");
            FakeProgram program = ring.loaders.get(0).loaded.get(0);
            program.rowMillis = 20;
            IntStream.range(0, 4)
                    .forEach(
                            i -> ring.node(0).generate(FakeRing.request(3, 1500).build()));
            GenerateRequest further = FakeRing.request(3, 2).build();
            assertThatThrownBy(() -> ring.generate(further)).hasMessageMatching(TOO_MANY);
            program.rowMillis = 0;
            FakeRing.eventually(Duration.ofSeconds(20), () -> catchThrowable(() -> ring.generate(further)) == null);
            assertThat(FakeRing.tokens(ring.generate(further))).hasSize(2);
        }
    }

    /** A client with many prompts that wait, and then another with one large request, which leaves the first less than it has. */
    @Test
    void whatWasLetInStaysWhateverOthersAsk() throws Exception {
        try (FakeRing ring =
                new FakeRing(1, new Limits(Map.of(Limit.ALL_REQUEST_BYTES, 800_000, Limit.CONNECTIONS, 4)))) {
            ring.place(1, "fake");
            FakeProgram program = ring.loaders.get(0).loaded.get(0);
            program.rowMillis = 10;
            NodeGrpc.NodeStub client = NodeGrpc.newStub(ring.channels.get(0));
            Pongs pongs = new Pongs();
            StreamObserver<AttachPing> pings = client.attach(pongs);
            AttachPing ping = AttachPing.newBuilder()
                    .setClient("c".repeat(256))
                    .setDeployment(FakeRing.ID)
                    .build();
            pings.onNext(ping);
            pongs.await(1);
            List<Heard> generations = Stream.generate(Heard::new).limit(8).toList();
            generations.forEach(
                    heard -> client.generate(FakeRing.request(1900, 3).build(), heard));
            FakeRing.eventually(Duration.ofSeconds(20), () -> ring.sessions() == 8);
            try (UnfinishedCalls other = new UnfinishedCalls(ring.nodes.get(0))) {
                other.begin(10_000);
                FakeRing.eventually(
                        Duration.ofSeconds(20),
                        () -> answer(ring.channels.get(0), 2000).matches(TOO_MANY));
                for (int i = 2; i < 12; i++) {
                    pings.onNext(ping);
                    pongs.await(i);
                }
                assertThat(ring.sessions()).isEqualTo(8);
                pings.onNext(ping.toBuilder().setClient("c".repeat(3000)).build()); // no ping of ours is so long
                assertThat(pongs.failure.get(20, TimeUnit.SECONDS)).hasMessageMatching(TOO_MANY);
                program.rowMillis = 0;
                for (Heard heard : generations) {
                    assertThat(FakeRing.tokens(heard.all())).hasSize(3);
                }
            }
        }
    }

    private static final class Pongs implements StreamObserver<AttachPong> {
        private final AtomicInteger came = new AtomicInteger();
        private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

        void await(int count) throws InterruptedException {
            FakeRing.eventually(Duration.ofSeconds(20), () -> {
                assertThat(failure).isNotDone();
                return came.get() >= count;
            });
        }

        @Override
        public void onNext(AttachPong pong) {
            came.incrementAndGet();
        }

        @Override
        public void onError(Throwable error) {
            failure.complete(error);
        }

        @Override
        public void onCompleted() {
            failure.complete(new AssertionError("it ended without an error"));
        }
    }

    /** How a request of about that many bytes ends. */
    private static String answer(ManagedChannel channel, int bytes) {
        GenerateRequest request =
                GenerateRequest.newBuilder().setClient("x".repeat(bytes)).build();
        try {
            NodeGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(20, TimeUnit.SECONDS)
                    .generate(request)
                    .hasNext();
            return "";
        } catch (StatusRuntimeException e) {
            return e.getMessage();
        }
    }
}
