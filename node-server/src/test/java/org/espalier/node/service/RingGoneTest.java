package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.failure.FailureStatus;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.v1.GenerateRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever has looked a deployment up just before it goes is told that it is gone, at once. */
class RingGoneTest {

    private static final String UNLOADED = "deployment 'd' was unloaded on node n0";

    /** Its stop string makes the head open the tokenizer between looking the deployment up and handing the generation over. */
    private static GenerateRequest request() {
        return FakeRing.request(3, 5).addStopStrings("zzz").build();
    }

    private static void gone(Throwable error, String message) {
        Failure failure = FailureStatus.details(error).orElseThrow();
        assertThat(failure.kind()).isEqualTo(Failure.Kind.DEPLOYMENT_GONE);
        assertThat(failure.message()).isEqualTo(message);
    }

    private static Throwable failure(Heard heard) {
        try {
            throw new AssertionError("answered " + heard.all());
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (Exception e) {
            throw new AssertionError("no answer", e);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aGenerationThatMeetsAnUnloadIsToldSo(int nodes) {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            ring.loaders.get(0).whileOpeningText = () -> ring.unload(0);
            assertThatThrownBy(() -> ring.generate(request())).satisfies(error -> gone(error, UNLOADED));
        }
    }

    @Test
    void aGenerationThatMeetsANewPlacementIsToldSo() {
        try (FakeRing ring = FakeRing.serving(1)) {
            ring.loaders.get(0).whileOpeningText = () -> ring.place(2, "fake");
            assertThatThrownBy(() -> ring.generate(request()))
                    .satisfies(error -> gone(error, "deployment 'd' was placed again as epoch 2 on node n0"));
        }
    }

    @Test
    void aTokenizerThatIsClosedMeanwhileIsNotMissing() {
        try (FakeRing ring = FakeRing.serving(1)) {
            ring.loaders.get(0).whileOpeningText = () -> {
                ring.unload(0);
                throw new EspalierException("model m is closed");
            };
            assertThatThrownBy(() -> ring.generate(request())).satisfies(error -> gone(error, UNLOADED));
        }
    }

    @Test
    void aForkThatMeetsAnUnloadIsToldSo() throws Exception {
        try (FakeRing ring = FakeRing.serving(1)) {
            RingMember head = ring.nodes.get(0).member(FakeRing.ID, 1);
            ring.loaders.get(0).loaded.get(0).rowMillis = 5;
            Heard first = new Heard();
            long session = head.generate(FakeRing.request(3, 1000).build(), "client", first.replies());
            first.await(2);
            ring.loaders.get(0).whileOpeningText = () -> ring.unload(0);
            Heard fork = new Heard();
            head.fork(session, 3, request(), "client", fork.replies());
            gone(failure(fork), UNLOADED);
            gone(failure(first), UNLOADED);
        }
    }

    @Test
    void aTruncationAfterAnUnloadIsToldSo() {
        try (FakeRing ring = FakeRing.serving(1)) {
            RingMember head = ring.nodes.get(0).member(FakeRing.ID, 1);
            ring.unload(0);
            CompletableFuture<Void> truncated = head.truncate(1, 0);
            assertThatThrownBy(() -> truncated.get(10, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOfSatisfying(FailureException.class, e -> {
                        assertThat(e.failure().kind()).isEqualTo(Failure.Kind.DEPLOYMENT_GONE);
                        assertThat(e.failure().message()).isEqualTo(UNLOADED);
                    });
        }
    }
}
