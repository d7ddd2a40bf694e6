package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.NodeGrpc;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cancelled generation ends its work on every node at once and leaves no session behind. */
class RingCancelTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void cancelDuringDecodeFreesTheSessionsEverywhere(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            ring.loaders.get(nodes - 1).loaded.get(0).rowMillis = 20;
            Context.CancellableContext context = Context.current().withCancellation();
            Iterator<GenerateReply> replies = context.call(
                    () -> ring.node(0).generate(FakeRing.request(4, 1000).build()));
            while (!replies.next().hasToken()) {}
            assertThat(ring.sessions()).isEqualTo(nodes);
            context.cancel(null);
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
            assertThat(FakeRing.tokens(ring.generate(FakeRing.request(4, 3).build())))
                    .hasSize(3);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void cancelStopsTheStepThatRuns(int slow) throws Exception {
        try (FakeRing ring = FakeRing.serving(3)) {
            FakeProgram program = ring.loaders.get(slow).loaded.get(0);
            program.rowMillis = 1000; // the prompt's 200 rows would take 200 s
            Context.CancellableContext context = Context.current().withCancellation();
            context.call(() -> ring.node(0).generate(FakeRing.request(200, 5).build()));
            FakeRing.eventually(Duration.ofSeconds(5), () -> program.steps.get() == 1);
            context.cancel(null);
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
            program.rowMillis = 0;
            assertThat(FakeRing.tokens(ring.generate(FakeRing.request(4, 3).build())))
                    .hasSize(3);
        }
    }

    @Test
    void cancelOfOneLeavesTheOthersAlone() throws Exception {
        List<Integer> alone;
        try (FakeRing ring = FakeRing.serving(1)) {
            alone = FakeRing.tokens(ring.generate(FakeRing.request(9, 40).build()));
        }
        try (FakeRing ring = FakeRing.serving(2)) {
            ring.loaders.get(1).loaded.get(0).rowMillis = 5;
            CompletableFuture<List<GenerateReply>> other = CompletableFuture.supplyAsync(
                    () -> ring.generate(FakeRing.request(9, 40).build()));
            for (int i = 0; i < 5; i++) {
                Context.CancellableContext context = Context.current().withCancellation();
                Iterator<GenerateReply> replies = context.call(
                        () -> ring.node(0).generate(FakeRing.request(4, 1000).build()));
                replies.next();
                context.cancel(null);
            }
            assertThat(FakeRing.tokens(other.join())).isEqualTo(alone);
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    @Test
    void aBrokenAttachmentClosesTheClientsSessions() throws Exception {
        try (FakeRing ring = FakeRing.serving(2)) {
            ring.loaders.get(1).loaded.get(0).rowMillis = 20;
            StreamObserver<AttachPing> attachment = attach(ring);
            FakeRing.eventually(
                    Duration.ofSeconds(5),
                    () -> ring.describe(0).getDeployments(0).getClientsList().contains("test"));
            Iterator<GenerateReply> replies =
                    ring.node(0).generate(FakeRing.request(4, 1000).build());
            while (!replies.next().hasToken()) {}
            attachment.onError(new RuntimeException("the client dies"));
            FakeRing.eventually(Duration.ofSeconds(10), () -> ring.sessions() == 0);
            assertThatThrownBy(() -> replies.forEachRemaining(reply -> {}))
                    .isInstanceOf(StatusRuntimeException.class)
                    .hasMessageContaining("attachment broke");
            assertThat(ring.describe(0).getDeployments(0).getClientsList()).isEmpty();
            assertThat(ring.describe(0).getDeployments(0).getServing()).isTrue();
        }
    }

    @Test
    void aClientThatSaysNothingIsLostToo() throws Exception {
        try (FakeRing ring = FakeRing.serving(1)) {
            ring.loaders.get(0).loaded.get(0).rowMillis = 20;
            attach(ring);
            ring.node(0).generate(FakeRing.request(4, 1000).build());
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 1);
            FakeRing.eventually(Duration.ofSeconds(10), () -> ring.sessions() == 0);
        }
    }

    private static StreamObserver<AttachPing> attach(FakeRing ring) {
        StreamObserver<AttachPing> pings = NodeGrpc.newStub(ring.channels.get(0))
                .attach(new StreamObserver<AttachPong>() {
                    @Override
                    public void onNext(AttachPong pong) {}

                    @Override
                    public void onError(Throwable error) {}

                    @Override
                    public void onCompleted() {}
                });
        pings.onNext(AttachPing.newBuilder()
                .setClient("test")
                .setDeployment(FakeRing.ID)
                .build());
        return pings;
    }
}
