package org.espalier.node.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.ModelIdentity;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.espalier.v1.Shard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** SIGTERM: the node's rings are told, nothing new begins, and the process ends within 5 s, whatever it is at. */
@DisabledOnOs(OS.WINDOWS)
@Timeout(120)
class ShutdownIT {

    private static final long LIMIT_SECONDS = 5;

    /** The middle one of three, while it runs steps of a long prompt. */
    @Test
    void tellsTheRingWhileItComputes() throws Exception {
        try (ProcessRing ring = new ProcessRing(3)) {
            ring.load();
            ManagedChannel client = ring.client();
            List<Asked> asked =
                    List.of(Asked.over(client, ring.epoch(), 1, 500), Asked.over(client, ring.epoch(), 3, 500));
            assertThat(RandomFaults.within(
                            Duration.ofSeconds(20), () -> !asked.get(0).tokens().isEmpty()))
                    .isTrue();
            ring.nodes.get(1).signal("TERM");
            for (Asked one : asked) {
                assertThat(one.ends(Duration.ofSeconds(LIMIT_SECONDS))).isTrue();
                assertThat(one.failure().message())
                        .as(one.error().toString())
                        .contains("node n1 (")
                        .endsWith(" is lost: it was shut down");
            }
            assertThat(ring.nodes.get(1).ends(LIMIT_SECONDS)).isTrue();
            Asked after = Asked.over(client, ring.epoch(), 1, 5);
            assertThat(after.ends(Duration.ofSeconds(LIMIT_SECONDS))).isTrue();
            assertThat(after.failure().message()).contains("is lost: it was shut down");
            client.shutdownNow();
        }
    }

    /** A load whose files never answer, and which cannot be cancelled: it is answered, and left behind. */
    @Test
    void answersALoadThatNeverEndsAndEndsAllTheSame() throws Exception {
        try (NodeProcess node =
                NodeProcess.start("stuck", List.of(), List.of(FakeNode.class.getName(), "stuck", "stuck"))) {
            ManagedChannel channel = ProcessRing.channel(node.address());
            CompletableFuture<Failure> answer = CompletableFuture.supplyAsync(() -> {
                try {
                    NodeGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(60, TimeUnit.SECONDS)
                            .load(load())
                            .forEachRemaining(progress -> loading.complete(null));
                    return null;
                } catch (RuntimeException e) {
                    return FailureStatus.read(e, "", "");
                }
            });
            loading.get(20, TimeUnit.SECONDS);
            node.signal("TERM");
            assertThat(node.ends(LIMIT_SECONDS)).isTrue();
            Failure failure = answer.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            assertThat(failure.kind()).isEqualTo(Failure.Kind.NODE_LOST);
            assertThat(failure.message())
                    .contains("node stuck")
                    .contains(
                            "it was shut down; the thread that reads its files does not come back and is left behind");
            channel.shutdownNow();
        }
    }

    private final CompletableFuture<Void> loading = new CompletableFuture<>();

    private static LoadRequest load() {
        return LoadRequest.newBuilder()
                .setDeployment("d")
                .setEpoch(1)
                .setClient("test")
                .setModel(ModelIdentity.newBuilder().setName("fake").setHash("0".repeat(64)))
                .setPlacement(Placement.newBuilder()
                        .setStrategy("pipeline")
                        .setLayers(2)
                        .addShards(Shard.newBuilder().setNode("stuck").setEndLayer(2)))
                .setPrecision("float32")
                .build();
    }
}
