package org.espalier.node.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.failure.Failure;
import org.espalier.v1.GenerateRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Eight requests of 60 MB at once for a node whose memory is far too small for them: somebody else's generation does not notice. */
@Timeout(120)
class LargeRequestsIT {

    @Test
    void sixtyMegabytesEightTimesDisturbNobody() throws Exception {
        try (ProcessRing ring = new ProcessRing(1, "-Xmx96m")) {
            ring.load();
            ManagedChannel client = ProcessRing.channel(ring.nodes.get(0).address());
            Asked alone = Asked.over(client, ring.epoch(), 1, 150);
            assertThat(alone.ends(Duration.ofSeconds(30))).isTrue();
            Asked beside = Asked.over(client, ring.epoch(), 1, 150);
            long before = ring.clients.passed(Relay.Way.TO_TARGET);
            List<ManagedChannel> others =
                    IntStream.range(0, 8).mapToObj(i -> ring.client()).toList();
            GenerateRequest request =
                    GenerateRequest.newBuilder().setClient("x".repeat(60 << 20)).build();
            List<Asked> large =
                    others.stream().map(other -> Asked.of(other, request)).toList();
            for (Asked one : large) {
                assertThat(one.ends(Duration.ofSeconds(60))).isTrue();
                assertThat(one.failure().kind()).isEqualTo(Failure.Kind.EXHAUSTED);
                assertThat(one.failure().message())
                        .matches("a request of more than 4194304 request-bytes is too large for node n0"
                                + "|node n0 has [0-9]+ all-request-bytes of unanswered requests, too many .*");
            }
            assertThat(beside.ends(Duration.ofSeconds(60))).isTrue();
            assertThat(beside.error()).isNull();
            assertThat(beside.tokens()).isEqualTo(alone.tokens());
            others.forEach(ManagedChannel::shutdownNow);
            client.shutdownNow();
            // Of each the 4 MB, and what was under way: not the 60 MB.
            assertThat(ring.clients.passed(Relay.Way.TO_TARGET) - before).isLessThan(8 * (20L << 20));
        }
    }
}
