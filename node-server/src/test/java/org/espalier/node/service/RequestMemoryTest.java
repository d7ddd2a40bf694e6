package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.NodeGrpc;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the requests of all clients may have of the memory together. */
@Timeout(60)
class RequestMemoryTest {

    private static final Limits FOUR = new Limits(Map.of(Limit.ALL_REQUEST_BYTES, 400_000, Limit.CONNECTIONS, 4));

    private static final String TOO_MANY = "RESOURCE_EXHAUSTED: node n0 has [0-9]+ all-request-bytes of unanswered"
            + " requests, too many of them on this connection: try again when some are answered";

    @Test
    void aConnectionHasAsMuchAsIsLeftForOthersAndAnEvenShareInAnyCase() {
        RequestMemory memory = new RequestMemory(FOUR);
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
        try (FakeRing ring = new FakeRing(1, new Limits(Map.of(Limit.ALL_REQUEST_BYTES, 40_000)))) {
            ring.place(1, "fake");
            FakeProgram program = ring.loaders.get(0).loaded.get(0);
            program.rowMillis = 20;
            IntStream.range(0, 4)
                    .forEach(
                            i -> ring.node(0).generate(FakeRing.request(3, 1500).build()));
            assertThatThrownBy(() -> ring.generate(FakeRing.request(3, 1).build()))
                    .hasMessageMatching(TOO_MANY);
            program.rowMillis = 0;
            FakeRing.eventually(Duration.ofSeconds(20), () -> ring.sessions() == 0);
            assertThat(FakeRing.tokens(ring.generate(FakeRing.request(3, 2).build())))
                    .hasSize(2);
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
