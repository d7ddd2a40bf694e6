package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.Context;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.espalier.Remedy;
import org.espalier.engine.Cancel;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.LoadProgress;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.UnloadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A load of any length ends when its client goes, when it is unloaded and when its node closes, and what it had is freed by its owner. */
@Timeout(60)
class LoadCancelTest {

    private final CountDownLatch begun = new CountDownLatch(1);

    /** A load that goes on until it is cancelled; after half a minute it gives up on that. */
    private void untilCancelled(Cancel cancel) {
        begun.countDown();
        long until = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!cancel.isSet() && System.nanoTime() < until) {
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private CompletableFuture<Throwable> loading(FakeRing ring) throws InterruptedException {
        ring.loaders.get(0).whileLoading = this::untilCancelled;
        CompletableFuture<Throwable> failure =
                CompletableFuture.supplyAsync(() -> catchThrowable(() -> ring.load(0, 1, "fake", ring.even(1))));
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        return failure;
    }

    private static void wasFreedByItsOwner(FakeRing ring) {
        FakeProgram program = ring.loaders.get(0).loaded.get(0);
        assertThat(program.closed).isTrue();
        assertThat(program.owners).extracting(Thread::getName).containsOnly("espalier-engine-fake");
    }

    @Test
    void aNodeEndsInOrderWhileItLoads() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            CompletableFuture<Throwable> failure = loading(ring);
            long begin = System.nanoTime();
            ring.nodes.get(0).close();
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
            assertThat(FailureStatus.details(failure.get(10, TimeUnit.SECONDS))).hasValueSatisfying(why -> {
                assertThat(why.kind()).isEqualTo(Failure.Kind.NODE_LOST);
                assertThat(why.node()).isEqualTo("n0");
                assertThat(why.message()).endsWith("is lost: it was shut down");
            });
            wasFreedByItsOwner(ring);
        }
    }

    @Test
    void unloadingEndsTheLoad() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            CompletableFuture<Throwable> failure = loading(ring);
            UnloadRequest.Builder unload =
                    UnloadRequest.newBuilder().setDeployment(FakeRing.ID).setClient("another");
            assertThatThrownBy(() -> ring.node(0).unload(unload.build()))
                    .satisfies(error -> assertThat(FailureStatus.details(error)).hasValueSatisfying(why -> {
                        assertThat(why.kind()).isEqualTo(Failure.Kind.REFUSED);
                        assertThat(why.remedy()).contains(Remedy.USE_OR_FORCE);
                    }));
            assertThat(failure).isNotDone();
            assertThat(ring.node(0)
                            .unload(unload.setClient("test").setEpoch(1).build())
                            .getFreedBytes())
                    .isZero();
            assertThat(FailureStatus.details(failure.get(10, TimeUnit.SECONDS)))
                    .hasValueSatisfying(why -> assertThat(why.kind()).isEqualTo(Failure.Kind.CANCELLED));
            assertThat(ring.describe(0).getDeploymentsList()).isEmpty();
            wasFreedByItsOwner(ring);
        }
    }

    @Test
    void aClientThatGoesAwayEndsItsLoad() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            Context.CancellableContext context = Context.current().withCancellation();
            CompletableFuture<Throwable> failure = context.call(() -> loading(ring));
            context.cancel(null);
            ring.channels.get(0).shutdownNow();
            assertThat(failure.get(10, TimeUnit.SECONDS)).isNotNull();
            FakeRing.eventually(
                    Duration.ofSeconds(10), () -> ring.loaders.get(0).open().isEmpty());
            wasFreedByItsOwner(ring);
            ring.channels.clear();
            ring.connect(ring.nodes.get(0));
            assertThat(ring.describe(0).getDeploymentsList()).isEmpty();
            ring.loaders.get(0).whileLoading = cancel -> {};
            ring.place(2, "fake");
        }
    }

    /** Until the load's flag says so, which an unload sets before it waits. */
    private static void unloadMeanwhile(FakeRing ring, Cancel cancel) {
        CompletableFuture.runAsync(() -> ring.unload(0));
        untilTrue(cancel::isSet);
    }

    private static void untilTrue(BooleanSupplier condition) {
        try {
            FakeRing.eventually(Duration.ofSeconds(10), condition);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anUnloadAtTheLastMomentIsStillAnswered() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            AtomicReference<Cancel> flag = new AtomicReference<>();
            FakeLoader loader = ring.loaders.get(0);
            loader.whileLoading = flag::set;
            loader.whilePlacing.set(() -> unloadMeanwhile(ring, flag.get()));
            CompletableFuture<Throwable> failure =
                    CompletableFuture.supplyAsync(() -> catchThrowable(() -> ring.load(0, 1, "fake", ring.even(1))));
            assertThat(FailureStatus.details(failure.get(10, TimeUnit.SECONDS))).hasValueSatisfying(why -> {
                assertThat(why.kind()).isEqualTo(Failure.Kind.CANCELLED);
                assertThat(why.message()).isEqualTo("deployment 'd' was unloaded on node n0 while it was loaded");
            });
            assertThat(ring.describe(0).getDeploymentsList()).isEmpty();
            FakeRing.eventually(Duration.ofSeconds(10), () -> loader.open().isEmpty());
            wasFreedByItsOwner(ring);
        }
    }

    private static List<LoadProgress> others(FakeRing ring, String client) {
        List<LoadProgress> progress = new ArrayList<>();
        ring.node(0)
                .load(ring.request(0, 2, "fake", ring.even(1)).setClient(client).build())
                .forEachRemaining(progress::add);
        return progress;
    }

    @Test
    void aSecondLoadOfTheSameClientIsRefused() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            CompletableFuture<Throwable> first = loading(ring);
            assertThatThrownBy(() -> others(ring, "test"))
                    .hasMessage(
                            "FAILED_PRECONDITION: deployment 'd' is being loaded by this client already, as epoch 1:"
                                    + " wait for that, or unload it first");
            assertThat(first).isNotDone();
        }
    }

    @Test
    void aLoadThatWaitsForAnotherSaysSo() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            CompletableFuture<Throwable> first = loading(ring);
            Iterator<LoadProgress> progress = ring.node(0)
                    .load(ring.request(0, 2, "fake", ring.even(1))
                            .setClient("another")
                            .build());
            String waits = "";
            while (waits.isEmpty()) {
                waits = progress.next().getWaitingFor();
            }
            assertThat(waits).isEqualTo("the load of deployment 'd' by test");
            assertThat(first).isNotDone();
        }
    }

    @Test
    void aConnectionsWaitingLoadsAreNobodyElses() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            loading(ring);
            AtomicInteger refused = new AtomicInteger();
            for (int i = 0; i < 1100; i++) {
                NodeGrpc.newStub(ring.channels.get(0))
                        .load(
                                ring.request(0, 2 + i, "fake", ring.even(1))
                                        .setClient("client" + i)
                                        .build(),
                                new StreamObserver<>() {
                                    @Override
                                    public void onNext(LoadProgress progress) {}

                                    @Override
                                    public void onError(Throwable error) {
                                        if (error.getMessage()
                                                .equals("RESOURCE_EXHAUSTED: node n0: it begins 256 requests of this"
                                                        + " connection already: try again")) {
                                            refused.incrementAndGet();
                                        }
                                    }

                                    @Override
                                    public void onCompleted() {}
                                });
            }
            FakeRing.eventually(Duration.ofSeconds(20), () -> refused.get() == 1 + 1100 - 256);
            ring.connect(ring.nodes.get(0));
            NodeGrpc.NodeBlockingStub other =
                    NodeGrpc.newBlockingStub(ring.channels.get(1)).withDeadlineAfter(20, TimeUnit.SECONDS);
            assertThat(other.describe(DescribeRequest.getDefaultInstance()).getNode())
                    .isEqualTo("n0");
            assertThat(other.unload(UnloadRequest.newBuilder()
                                    .setDeployment(FakeRing.ID)
                                    .setClient("test")
                                    .setEpoch(1)
                                    .build())
                            .getFreedBytes())
                    .isZero();
        }
    }

    @Test
    void aLoadThatWaitsForAnotherEndsToo() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            CompletableFuture<Throwable> first = loading(ring);
            CompletableFuture<Throwable> second =
                    CompletableFuture.supplyAsync(() -> catchThrowable(() -> others(ring, "another")));
            Thread.sleep(200); // so that it does wait
            ring.nodes.get(0).close();
            assertThat(first.get(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(second.get(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(ring.loaders.get(0).loaded).hasSize(1);
            wasFreedByItsOwner(ring);
        }
    }
}
