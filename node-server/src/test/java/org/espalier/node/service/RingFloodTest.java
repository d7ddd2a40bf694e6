package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.NodeGrpc;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Thousands of generations at once: the newcomers are refused, nobody else notices, and nothing stays. */
@Timeout(120)
class RingFloodTest {

    private static final int FLOOD = 10_000;

    /** How a generation ended: OK, or the code of its failure. */
    private static final class Ending implements StreamObserver<GenerateReply> {
        final CompletableFuture<Status.Code> code = new CompletableFuture<>();
        volatile Throwable error;

        @Override
        public void onNext(GenerateReply reply) {}

        @Override
        public void onError(Throwable failure) {
            error = failure;
            code.complete(Status.fromThrowable(failure).getCode());
        }

        @Override
        public void onCompleted() {
            code.complete(Status.Code.OK);
        }
    }

    private static Ending generate(FakeRing ring, int maxTokens) {
        Ending ending = new Ending();
        NodeGrpc.newStub(ring.channels.get(0))
                .generate(FakeRing.request(3, maxTokens).setClient("flood").build(), ending);
        return ending;
    }

    private static CompletableFuture<List<Integer>> slow(FakeRing ring) throws InterruptedException {
        FakeProgram program = ring.loaders.get(ring.nodes.size() - 1).loaded.get(0);
        program.rowMillis = 20; // the prompt's first step takes 5 s
        CompletableFuture<List<Integer>> tokens = CompletableFuture.supplyAsync(
                () -> FakeRing.tokens(ring.generate(FakeRing.request(256, 4).build())));
        FakeRing.eventually(Duration.ofSeconds(10), () -> program.steps.get() == 1);
        return tokens;
    }

    private static List<Integer> alone(int nodes) {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            return FakeRing.tokens(ring.generate(FakeRing.request(256, 4).build()));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void tooManyAreRefusedAndTheOthersFinish(int nodes) throws Exception {
        List<Integer> expected = alone(nodes);
        try (FakeRing ring = FakeRing.serving(nodes)) {
            CompletableFuture<List<Integer>> other = slow(ring);
            List<Ending> flood = new ArrayList<>();
            for (int i = 0; i < FLOOD; i++) {
                flood.add(generate(ring, 1));
            }
            ring.loaders.get(nodes - 1).loaded.get(0).rowMillis = 0;
            assertThat(other.get(60, TimeUnit.SECONDS)).isEqualTo(expected);
            int finished = 0;
            for (Ending ending : flood) {
                Status.Code code = ending.code.get(60, TimeUnit.SECONDS);
                assertThat(code).isIn(Status.Code.OK, Status.Code.RESOURCE_EXHAUSTED);
                finished += code == Status.Code.OK ? 1 : 0;
                if (code == Status.Code.RESOURCE_EXHAUSTED) {
                    Failure failure = FailureStatus.details(ending.error).orElseThrow();
                    assertThat(failure.kind()).isEqualTo(Failure.Kind.EXHAUSTED);
                    assertThat(failure.message()).contains("node n0").contains("try again");
                }
            }
            assertThat(finished).isBetween(400, FLOOD - 1);
            FakeRing.eventually(Duration.ofSeconds(10), () -> ring.sessions() == 0);
            assertThat(FakeRing.tokens(ring.generate(FakeRing.request(256, 4).build())))
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void whatIsOpenedAndCancelledLeavesNothing(int nodes) throws Exception {
        List<Integer> expected = alone(nodes);
        try (FakeRing ring = FakeRing.serving(nodes)) {
            CompletableFuture<List<Integer>> other = slow(ring);
            List<Ending> flood = new ArrayList<>();
            for (int batch = 0; batch < 12; batch++) {
                Context.CancellableContext context = Context.current().withCancellation();
                List<Ending> opened = new ArrayList<>();
                context.run(() -> {
                    for (int i = 0; i < 300; i++) {
                        opened.add(generate(ring, 100));
                    }
                });
                ring.describe(0); // they have arrived
                context.cancel(null);
                flood.addAll(opened);
            }
            ring.loaders.get(nodes - 1).loaded.get(0).rowMillis = 0;
            assertThat(other.get(60, TimeUnit.SECONDS)).isEqualTo(expected);
            for (Ending ending : flood) {
                assertThat(Set.of(Status.Code.CANCELLED, Status.Code.RESOURCE_EXHAUSTED))
                        .contains(ending.code.get(60, TimeUnit.SECONDS));
            }
            FakeRing.eventually(Duration.ofSeconds(10), () -> ring.sessions() == 0);
            assertThat(ring.describe(0).getDeployments(0).getServing()).isTrue();
            assertThat(FakeRing.tokens(ring.generate(FakeRing.request(256, 4).build())))
                    .isEqualTo(expected);
        }
    }
}
