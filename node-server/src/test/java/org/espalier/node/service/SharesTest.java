package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.model.ModelIdentity;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.espalier.v1.Shard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What clients share: each limit is refused beyond with a sentence, and a client is a connection, whatever name it sends. */
@Timeout(60)
class SharesTest {

    private static FakeRing ring(Map<Limit, Integer> limits) {
        FakeRing ring = new FakeRing(1, new Limits(limits));
        ring.connect(ring.nodes.get(0)); // channel 1, of another client
        return ring;
    }

    private static NodeGrpc.NodeBlockingStub other(FakeRing ring) {
        return NodeGrpc.newBlockingStub(ring.channels.get(1)).withDeadlineAfter(30, TimeUnit.SECONDS);
    }

    private static void exhausted(ThrowingCallable call, String message) {
        assertThatThrownBy(call)
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessage("RESOURCE_EXHAUSTED: " + message);
    }

    /** A load that goes on until it is released, which holds one request's thread. */
    private static CompletableFuture<Void> held(FakeRing ring, CountDownLatch released) throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        ring.loaders.get(0).whileLoading = cancel -> {
            begun.countDown();
            try {
                released.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        CompletableFuture<Void> load = CompletableFuture.runAsync(() -> ring.load(0, 1, "fake", ring.even(1)));
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        return load;
    }

    @Test
    void requestsOfOneConnectionThatAreBeingBegun() throws Exception {
        try (FakeRing ring = ring(Map.of(Limit.CONNECTION_REQUESTS, 1))) {
            CountDownLatch released = new CountDownLatch(1);
            CompletableFuture<Void> load = held(ring, released);
            exhausted(() -> ring.describe(0), "node n0: it begins 1 requests of this connection already: try again");
            assertThat(other(ring)
                            .describe(DescribeRequest.getDefaultInstance())
                            .getNode())
                    .isEqualTo("n0");
            released.countDown();
            load.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void requestsOfAllConnectionsThatAreBeingBegun() throws Exception {
        try (FakeRing ring = ring(Map.of(Limit.REQUESTS, 1))) {
            CountDownLatch released = new CountDownLatch(1);
            CompletableFuture<Void> load = held(ring, released);
            exhausted(
                    () -> other(ring).describe(DescribeRequest.getDefaultInstance()),
                    "node n0: it begins 1 requests already: try again");
            released.countDown();
            load.get(20, TimeUnit.SECONDS);
        }
    }

    /** Which of several it is that came last is not known: their requests are begun side by side. */
    private static boolean anyWaits(List<Heard> heard) {
        return heard.stream().anyMatch(one -> one.replies.stream().anyMatch(SharesTest::waits));
    }

    @Test
    void generationsThatRunAndThatWait() throws Exception {
        try (FakeRing ring = ring(Map.of(Limit.GENERATIONS, 1, Limit.WAITING, 2))) {
            ring.place(1, "fake");
            FakeProgram program = ring.loaders.get(0).loaded.get(0);
            program.rowMillis = 10;
            List<Heard> mine = start(ring, 2);
            FakeRing.eventually(Duration.ofSeconds(20), () -> anyWaits(mine));
            assertThat(program.greatestStep.get()).isLessThanOrEqualTo(3); // one prompt
            exhausted(
                    () -> ring.generate(FakeRing.request(3, 1).build()),
                    "node n0 has 1 generations running and 1 waiting: try again when some have ended");
            Heard others = new Heard();
            NodeGrpc.newStub(ring.channels.get(1)) // of the same name
                    .generate(FakeRing.request(3, 1).build(), others);
            FakeRing.eventually(
                    Duration.ofSeconds(20), () -> others.replies.stream().anyMatch(SharesTest::waits));
            program.rowMillis = 0;
            assertThat(FakeRing.tokens(others.all())).hasSize(1);
            for (Heard heard : mine) {
                assertThat(FakeRing.tokens(heard.all())).hasSize(1000);
            }
        }
    }

    @Test
    void clientsOfOneNameShareByConnection() throws Exception {
        try (FakeRing ring = ring(Map.of(Limit.GENERATIONS, 4))) {
            ring.place(1, "fake");
            FakeProgram program = ring.loaders.get(0).loaded.get(0);
            program.rowMillis = 10;
            List<Heard> mine = start(ring, 5);
            FakeRing.eventually(Duration.ofSeconds(20), () -> ring.sessions() == 5 && anyWaits(mine));
            List<GenerateReply> others = new ArrayList<>();
            other(ring).generate(FakeRing.request(3, 3).build()).forEachRemaining(others::add);
            assertThat(FakeRing.tokens(others)).hasSize(3);
            assertThat(others).noneMatch(SharesTest::waits);
            assertThat(ring.sessions()).isEqualTo(5); // those of the first are under way
            program.rowMillis = 0;
            for (Heard heard : mine) {
                assertThat(FakeRing.tokens(heard.all())).hasSize(1000);
            }
        }
    }

    /** Long generations of the first connection. */
    private static List<Heard> start(FakeRing ring, int count) {
        List<Heard> started = Stream.generate(Heard::new).limit(count).toList();
        GenerateRequest request = FakeRing.request(3, 1000).build();
        started.forEach(heard -> NodeGrpc.newStub(ring.channels.get(0)).generate(request, heard));
        return started;
    }

    private static boolean waits(GenerateReply reply) {
        return reply.getAlive().getWaitingBefore() > 0;
    }

    @Test
    void ofTwoLoadsAtOnceTheOneForWhichThereIsRoomGetsIn() throws Exception {
        try (FakeRing ring = ring(Map.of(Limit.DEPLOYMENTS, 1))) {
            for (int round = 1; round <= 40; round++) {
                CyclicBarrier together = new CyclicBarrier(2);
                int epoch = round;
                List<CompletableFuture<Throwable>> loads = Stream.of(0, 1)
                        .map(client -> CompletableFuture.supplyAsync(() -> catchThrowable(() -> {
                            together.await(20, TimeUnit.SECONDS);
                            LoadRequest request = ring.request(0, epoch, "fake", ring.even(1))
                                    .setDeployment("d" + client)
                                    .build();
                            NodeGrpc.newBlockingStub(ring.channels.get(client))
                                    .withDeadlineAfter(20, TimeUnit.SECONDS)
                                    .load(request)
                                    .forEachRemaining(progress -> {});
                        })))
                        .toList();
                List<Throwable> failed = new ArrayList<>();
                for (CompletableFuture<Throwable> load : loads) {
                    failed.add(load.get(20, TimeUnit.SECONDS));
                }
                assertThat(failed)
                        .filteredOn(Objects::nonNull)
                        .singleElement()
                        .satisfies(refused -> assertThat(refused)
                                .hasMessage("RESOURCE_EXHAUSTED: there would be 2 deployments, node n0 takes at most"
                                        + " 1"));
                ring.channels.forEach(channel -> Stream.of("d0", "d1")
                        .forEach(id -> NodeGrpc.newBlockingStub(channel)
                                .unload(org.espalier.v1.UnloadRequest.newBuilder()
                                        .setDeployment(id)
                                        .setClient("test")
                                        .build())));
            }
        }
    }

    /** Each deployment is promised half of what is left: a megabyte is gone after some twenty. */
    @Test
    void memoryForCachesOfAllDeployments() {
        Path folder = Path.of("..", "models", "src", "test", "resources", "models", "llama-tiny");
        ModelIdentity identity = ModelIdentity.of(folder.resolve("hf"));
        NodeOptions options = NodeOptions.loopback("n0")
                .with(new Limits(Map.of(Limit.KV_MEGABYTES, 1)))
                .withModelRoots(List.of(folder.toAbsolutePath().normalize()));
        try (FakeRing clients = new FakeRing(0);
                NodeServer node = NodeServer.start(options)) {
            clients.connect(node);
            Throwable refused = null;
            for (int i = 0; i < 25 && refused == null; i++) {
                LoadRequest request = LoadRequest.newBuilder()
                        .setDeployment("d" + i)
                        .setEpoch(1)
                        .setClient("test")
                        .setPrecision("float32")
                        .setModel(org.espalier.v1.ModelIdentity.newBuilder()
                                .setName(identity.name())
                                .setHash(identity.hash()))
                        .setPlacement(Placement.newBuilder()
                                .setStrategy("pipeline")
                                .setLayers(3)
                                .addShards(Shard.newBuilder()
                                        .setNode("n0")
                                        .setAddress(node.address())
                                        .setEndLayer(3)))
                        .build();
                refused = catchThrowable(() -> clients.node(0).load(request).forEachRemaining(progress -> {}));
            }
            Failure why = FailureStatus.details(refused).orElseThrow();
            assertThat(why.kind()).isEqualTo(Failure.Kind.OUT_OF_MEMORY);
            assertThat(why.message())
                    .isEqualTo("node n0 has promised all of its 0.0 GB for KV caches to other deployments");
        }
    }
}
