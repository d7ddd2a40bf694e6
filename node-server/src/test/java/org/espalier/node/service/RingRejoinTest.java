package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.Placement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A ring whose shards still stand joins again by itself; one that was placed twice at once joins never. */
@Timeout(120)
class RingRejoinTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aBrokenRingServesAgain(int silent) throws Exception {
        try (FakeRing ring = FakeRing.serving(3)) {
            List<Integer> expected =
                    FakeRing.tokens(ring.generate(FakeRing.request(5, 12).build()));
            ring.loaders.get(1).loaded.get(0).rowMillis = 20;
            Iterator<GenerateReply> running =
                    ring.node(0).generate(FakeRing.request(4, 1500).build());
            while (!running.next().hasToken()) {}
            ring.nodes.get(silent).member(FakeRing.ID, 1).dropLinks();
            assertThatThrownBy(() -> running.forEachRemaining(reply -> {})).satisfies(error -> {
                Failure failure = FailureStatus.details(error).orElseThrow();
                assertThat(failure.kind()).isEqualTo(Failure.Kind.NODE_LOST);
                assertThat(failure.remedy()).contains(Remedy.AWAIT_REJOIN);
            });
            FakeRing.eventually(Duration.ofSeconds(30), () -> serves(ring, expected));
            for (int node = 0; node < 3; node++) {
                assertThat(ring.describe(node).getDeployments(0).getEpoch()).isEqualTo(1);
                assertThat(ring.loaders.get(node).loaded).as("shards stay").hasSize(1);
            }
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    /** Whether a generation comes through; what a node says of itself may be some microseconds old. */
    private static boolean serves(FakeRing ring, List<Integer> expected) {
        try {
            return FakeRing.tokens(ring.generate(FakeRing.request(5, 12).build()))
                    .equals(expected);
        } catch (StatusRuntimeException broken) {
            return false;
        }
    }

    @Test
    void twoPlacementsUnderOneEpochMakeNoRing() {
        try (FakeRing ring = new FakeRing(2)) {
            Placement theirs = Placement.newBuilder()
                    .setStrategy("pipeline")
                    .setLayers(FakeRing.LAYERS)
                    .addShards(ring.shard(0, 0, 2))
                    .addShards(ring.shard(1, 2, FakeRing.LAYERS))
                    .build();
            ring.load(0, 1, "fake", ring.even(2));
            ring.load(1, 1, "fake", theirs);
            assertThatThrownBy(() -> ring.join(1))
                    .hasMessageContaining("node n0 (")
                    .hasMessageContaining("has another placement, model or precision of deployment d in epoch 1");
        }
    }
}
