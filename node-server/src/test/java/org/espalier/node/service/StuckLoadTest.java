package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.espalier.engine.Cancel;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.LoadProgress;
import org.espalier.v1.UnloadRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A load whose reads do not come back, as from a share that does not answer, holds nobody up, and what it brings after all is freed. */
@Timeout(60)
class StuckLoadTest {

    private static final String LEFT = "; the thread that reads its files does not come back and is left behind";

    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch answers = new CountDownLatch(1);
    private final FakeRing ring = new FakeRing(1);

    @AfterEach
    void close() {
        answers.countDown();
        ring.close();
    }

    /** Neither the cancel flag nor an interrupt ends it. */
    private void untilItAnswers(Cancel cancel) {
        begun.countDown();
        while (answers.getCount() > 0) {
            try {
                answers.await();
            } catch (InterruptedException e) {
                // as a read from such a share
            }
        }
    }

    private CompletableFuture<Throwable> stuck() throws InterruptedException {
        ring.loaders.get(0).whileLoading = this::untilItAnswers;
        CompletableFuture<Throwable> failure =
                CompletableFuture.supplyAsync(() -> catchThrowable(() -> ring.load(0, 1, "fake", ring.even(1))));
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        ring.loaders.get(0).whileLoading = cancel -> {};
        return failure;
    }

    private static void isSaid(CompletableFuture<Throwable> failed, Failure.Kind kind, String message)
            throws Exception {
        assertThat(FailureStatus.details(failed.get(20, TimeUnit.SECONDS))).hasValueSatisfying(why -> {
            assertThat(why.node()).isEqualTo("n0");
            assertThat(why.kind()).isEqualTo(kind);
            assertThat(why.message()).contains(message).endsWith(LEFT);
        });
    }

    private void lateShardIsFreed() throws InterruptedException {
        FakeProgram late = ring.loaders.get(0).loaded.get(0);
        assertThat(late.closed).isFalse();
        answers.countDown();
        FakeRing.eventually(Duration.ofSeconds(10), () -> late.closed);
    }

    @Test
    void otherDeploymentsAreLoadedServeAndGo() throws Exception {
        CompletableFuture<Throwable> failure = stuck();
        Iterator<LoadProgress> progress = ring.node(0)
                .load(ring.request(0, 1, "fake", ring.even(1))
                        .setDeployment("e")
                        .build());
        progress.forEachRemaining(step -> {});
        ring.node(0)
                .join(JoinRequest.newBuilder().setDeployment("e").setEpoch(1).build());
        assertThat(FakeRing.tokens(
                        ring.generate(FakeRing.request(3, 5).setDeployment("e").build())))
                .hasSize(5);
        assertThat(ring.node(0)
                        .unload(UnloadRequest.newBuilder()
                                .setDeployment("e")
                                .setClient("test")
                                .build())
                        .getFreedBytes())
                .isEqualTo(6000);
        assertThat(failure).isNotDone();
    }

    @Test
    void itCanBeUnloadedAndLoadedAgain() throws Exception {
        CompletableFuture<Throwable> failure = stuck();
        ring.unload(0);
        isSaid(failure, Failure.Kind.CANCELLED, "deployment 'd' was unloaded on node n0 while it was loaded");
        ring.place(2, "fake");
        assertThat(FakeRing.tokens(
                        ring.generate(FakeRing.request(3, 5).setEpoch(2).build())))
                .hasSize(5);
        lateShardIsFreed();
        assertThat(FakeRing.tokens(
                        ring.generate(FakeRing.request(3, 5).setEpoch(2).build())))
                .hasSize(5);
    }

    @Test
    void theNodeEnds() throws Exception {
        CompletableFuture<Throwable> failure = stuck();
        CompletableFuture<Void> closed =
                CompletableFuture.runAsync(() -> ring.nodes.get(0).close());
        isSaid(failure, Failure.Kind.NODE_LOST, "it was shut down");
        closed.get(10, TimeUnit.SECONDS);
    }
}
