package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.transport.Listening;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.espalier.v1.ProbeRequest;
import org.espalier.v1.Shard;
import org.espalier.v1.Share;
import org.espalier.v1.UnloadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeServerTest {

    @Test
    void saysWhenItsPortIsInUse() {
        try (FakeRing ring = new FakeRing(1)) {
            int port = ring.nodes.get(0).port();
            assertThatThrownBy(() -> NodeServer.start(
                            NodeOptions.loopback("b").with(Listening.loopback().withPort(port)), new FakeLoader()))
                    .isInstanceOf(EspalierException.class)
                    .hasMessage("cannot listen on 127.0.0.1:" + port
                            + ": the port is in use or not allowed; choose another, 0 for any free one");
        }
    }

    @Test
    void servesOnLoopbackOnly() {
        assertThatThrownBy(() -> NodeServer.start(
                        NodeOptions.loopback("b").with(Listening.loopback().withHost("0.0.0.0")), new FakeLoader()))
                .isInstanceOf(EspalierException.class)
                .hasMessage(
                        "cannot serve on 0.0.0.0 in plain text: `--listen HOST:PORT --certificates FOLDER` serves over TLS,"
                                + " `--port PORT` on loopback");
        assertThatThrownBy(() -> NodeServer.start(
                        NodeOptions.loopback("b").with(Listening.loopback().withPort(70_000)), new FakeLoader()))
                .hasMessage("port 70000 is not a valid port: choose 0 (any free one) to 65535");
    }

    @Test
    void answersHealthAndReflection() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            assertThat(HealthGrpc.newBlockingStub(ring.channels.get(0))
                            .check(HealthCheckRequest.getDefaultInstance())
                            .getStatus())
                    .isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
            CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
            ServerReflectionGrpc.newStub(ring.channels.get(0))
                    .serverReflectionInfo(new StreamObserver<>() {
                        @Override
                        public void onNext(ServerReflectionResponse response) {
                            answer.complete(response);
                        }

                        @Override
                        public void onError(Throwable error) {
                            answer.completeExceptionally(error);
                        }

                        @Override
                        public void onCompleted() {}
                    })
                    .onNext(ServerReflectionRequest.newBuilder()
                            .setListServices("")
                            .build());
            assertThat(answer.get(10, TimeUnit.SECONDS)
                            .getListServicesResponse()
                            .getServiceList())
                    .extracting(ServiceResponse::getName)
                    .contains("espalier.v1.Node", "espalier.v1.Ring", "grpc.health.v1.Health");
        }
    }

    @Test
    void describesItsDeployments() {
        try (FakeRing ring = FakeRing.serving(2)) {
            DescribeReply node = ring.describe(1);
            assertThat(node.getNode()).isEqualTo("n1");
            assertThat(node.getTotalMemoryBytes()).isPositive();
            assertThat(node.getProcessors()).isPositive();
            assertThat(node.getDeploymentsList()).hasSize(1);
            assertThat(node.getDeployments(0).getModel().getName()).isEqualTo("fake");
            assertThat(node.getDeployments(0).getPlacement()).isEqualTo(ring.even(2));
            assertThat(node.getDeployments(0).getResidentBytes()).isEqualTo(3000);
            assertThat(node.getDeployments(0).getServing()).isTrue();
            ring.unload(1);
            assertThat(ring.describe(1).getDeploymentsList()).isEmpty();
        }
    }

    @Test
    void refusesLoadsThatAreNotWhole() {
        try (FakeRing ring = new FakeRing(2)) {
            Placement hole = Placement.newBuilder()
                    .setLayers(FakeRing.LAYERS)
                    .addShards(ring.shard(0, 0, 2))
                    .addShards(ring.shard(1, 3, 6))
                    .build();
            refused(ring, ring.request(0, 1, "m", hole), "layer 2 is on no node");
            Placement cut = hole.toBuilder().setShards(1, ring.shard(1, 2, 5)).build();
            refused(ring, ring.request(0, 1, "m", cut), "layer 5 is on no node");
            Placement shares = Placement.newBuilder()
                    .setLayers(FakeRing.LAYERS)
                    .addShards(ring.shard(0, 0, 6).toBuilder()
                            .setHeads(Share.newBuilder().setTo(1).setOf(2)))
                    .addShards(ring.shard(1, 0, 6).toBuilder()
                            .setHeads(Share.newBuilder().setFrom(1).setTo(2).setOf(2)))
                    .build();
            refused(ring, ring.request(0, 1, "m", shares), "cuts layers into shares (on n0, n1)");
            Placement none = hole.toBuilder()
                    .setShards(1, ring.shard(1, 2, 6).toBuilder().setWidth(Share.newBuilder()))
                    .build();
            refused(ring, ring.request(0, 1, "m", none), "parts 0 to 0 of 0 are not a share");
            refused(
                    ring,
                    ring.request(0, 1, "m", ring.even(2)).setShard(1),
                    "this is node n0, the shard is for node n1");
            refused(ring, ring.request(0, 1, "m", ring.even(2)).setShard(7), "shard 7 is not one of the placement's 2");
            refused(ring, ring.request(0, 0, "m", ring.even(2)), "epoch 0 is not above 0");
            refused(
                    ring,
                    ring.request(
                            0,
                            1,
                            "m",
                            ring.even(2).toBuilder()
                                    .setShards(
                                            1, ring.shard(1, 3, 6).toBuilder().setAddress("n1"))
                                    .build()),
                    "the load request is wrong: node n1 cannot be dialled: 'n1' is not an address: write HOST:PORT");
            refused(ring, LoadRequest.newBuilder(), "the deployment has no id");
            assertThat(ring.loaders.get(0).loaded).isEmpty();
        }
    }

    @Test
    void aNewEpochKeepsTheShardThatDoesNotChange() {
        try (FakeRing ring = FakeRing.serving(2)) {
            ring.load(0, 2, "fake", ring.even(2));
            assertThat(ring.loaders.get(0).loaded).hasSize(1);
            ring.load(0, 3, "other", ring.even(2));
            assertThat(ring.loaders.get(0).loaded).hasSize(2);
            assertThat(ring.loaders.get(0).open()).hasSize(1);
            refused(ring, ring.request(0, 3, "fake", ring.even(2)), "must have a later one than 3");
            assertThatThrownBy(() -> ring.node(0)
                            .join(JoinRequest.newBuilder()
                                    .setDeployment(FakeRing.ID)
                                    .setEpoch(2)
                                    .build()))
                    .hasMessageContaining("deployment 'd' has epoch 3 on node n0, but epoch 2 was asked for");
        }
    }

    @Test
    void anEpochThatLeavesNoLaterOnesIsRefused() {
        try (FakeRing ring = FakeRing.serving(1)) {
            long most = Long.MAX_VALUE;
            refused(
                    ring,
                    ring.request(0, most, "fake", ring.even(1)),
                    "epoch " + most + " of deployment 'd' is too far from 1, the one on node n0");
            refused(ring, ring.request(0, most, "fake", ring.even(1)).setDeployment("e"), "is too far from 0");
            ring.load(0, 1L << 62, "fake", ring.even(1));
            ring.load(0, (1L << 62) + (1L << 40), "fake", ring.even(1));
            refused(ring, ring.request(0, most, "fake", ring.even(1)), "is too far from " + ((1L << 62) + (1L << 40)));
            ring.unload(0);
            ring.load(0, 1, "fake", ring.even(1)); // nothing of it is kept
        }
    }

    @Test
    void longNamesAndControlCharactersAreRefused() throws Exception {
        try (FakeRing ring = new FakeRing(2)) {
            String large = "x".repeat(257);
            Placement two = ring.even(2);
            refused(
                    ring,
                    ring.request(0, 1, "m", two).setDeployment(large),
                    "INVALID_ARGUMENT: the deployment's id has 257 characters, 256 are the most");
            refused(ring, ring.request(0, 1, "m", two).setClient(large), "the client's name has 257 characters");
            refused(ring, ring.request(0, 1, "m", two).setClient("a\nb"), "the client's name has a control character");
            refused(ring, ring.request(0, 1, "m", two).setEngine(large), "the engine's name has 257 characters");
            refused(ring, ring.request(0, 1, "m", two).setPrecision(large), "the precision has 257 characters");
            refused(ring, ring.request(0, 1, "x".repeat(513), two), "a model's name has 513 characters");
            refused(
                    ring,
                    ring.request(0, 1, "m", two.toBuilder().setStrategy(large).build()),
                    "the placement's strategy has 257 characters");
            Shard.Builder second = ring.shard(1, 3, 6).toBuilder();
            refused(
                    ring,
                    ring.request(
                            0,
                            1,
                            "m",
                            two.toBuilder().setShards(1, second.setNode(large)).build()),
                    "a node's name has 257 characters");
            refused(
                    ring,
                    ring.request(
                            0,
                            1,
                            "m",
                            two.toBuilder()
                                    .setShards(1, second.setNode("n1").setAddress(large))
                                    .build()),
                    "a node's address has 257 characters");
            assertThatThrownBy(() -> ring.node(0)
                            .probe(ProbeRequest.newBuilder().setNode(large).build()))
                    .hasMessage("INVALID_ARGUMENT: the other node's name has 257 characters, 256 are the most");
            assertThat(attached(ring, AttachPing.newBuilder().setClient(large)))
                    .isEqualTo("INVALID_ARGUMENT: the client's name has 257 characters, 256 are the most");
            assertThat(attached(ring, AttachPing.newBuilder().setClient("c").setDeployment(large)))
                    .isEqualTo("INVALID_ARGUMENT: the deployment's id has 257 characters, 256 are the most");
            assertThat(ring.describe(0).getDeploymentsList()).isEmpty();
            assertThatThrownBy(() -> NodeOptions.loopback(large))
                    .isInstanceOf(EspalierException.class)
                    .hasMessage("this node's name has 257 characters, 256 are the most: give it another with `--name`");
            assertThatThrownBy(() -> NodeOptions.loopback("a\nb")).hasMessageContaining("has a control character");
        }
    }

    /** How a client's attachment ends. */
    private static String attached(FakeRing ring, AttachPing.Builder hello) throws Exception {
        CompletableFuture<String> end = new CompletableFuture<>();
        NodeGrpc.newStub(ring.channels.get(0))
                .attach(new StreamObserver<>() {
                    @Override
                    public void onNext(AttachPong pong) {
                        end.complete("attached");
                    }

                    @Override
                    public void onError(Throwable error) {
                        end.complete(error.getMessage());
                    }

                    @Override
                    public void onCompleted() {
                        end.complete("completed");
                    }
                })
                .onNext(hello.build());
        return end.get(20, TimeUnit.SECONDS);
    }

    /** gRPC's own client accepts 8 KiB of trailers, in which each byte that is not ASCII has three characters. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "%", "\n", "\u00e9", "\u6f22", "\uD83C\uDF33"})
    void aLongMessageOfAnyCharactersReachesItsClient(String character) {
        try (FakeRing ring = new FakeRing(1)) {
            assertThatThrownBy(() -> ring.generate(FakeRing.request(1, 1)
                            .setDeployment(character.repeat(20_000))
                            .build()))
                    .hasMessageStartingWith("NOT_FOUND: node n0 has no deployment '" + character.repeat(200))
                    .hasMessageEndingWith(character + " ...")
                    .satisfies(error -> assertThat(FailureStatus.details(error)).hasValueSatisfying(failure -> {
                        assertThat(failure.kind()).isEqualTo(Failure.Kind.DEPLOYMENT_GONE);
                        assertThat(error).hasMessage("NOT_FOUND: " + failure.message());
                    }));
        }
    }

    @Test
    void aFailedLoadLeavesNothing() {
        try (FakeRing ring = FakeRing.serving(1)) {
            assertThatThrownBy(() -> ring.load(0, 2, "broken:n0", ring.even(1)))
                    .hasMessage("FAILED_PRECONDITION: node n0: tensor x is cut off");
            assertThat(ring.loaders.get(0).open()).isEmpty();
            assertThat(ring.describe(0).getDeploymentsList()).isEmpty();
        }
    }

    @Test
    void unloadsOnlyTheEpochThatIsMeant() {
        try (FakeRing ring = FakeRing.serving(1)) {
            UnloadRequest.Builder unload =
                    UnloadRequest.newBuilder().setDeployment(FakeRing.ID).setClient("test");
            assertThat(ring.node(0).unload(unload.setEpoch(7).build()).getFreedBytes())
                    .isZero();
            assertThat(ring.loaders.get(0).open()).hasSize(1);
            assertThat(ring.node(0).unload(unload.setEpoch(1).build()).getFreedBytes())
                    .isEqualTo(6000);
            assertThat(ring.loaders.get(0).open()).isEmpty();
        }
    }

    @Test
    void onlyTheHeadGenerates() {
        try (FakeRing ring = FakeRing.serving(2)) {
            assertThatThrownBy(() -> ring.node(1)
                            .generate(FakeRing.request(3, 3).build())
                            .forEachRemaining(reply -> {}))
                    .hasMessageContaining("node n1 (")
                    .hasMessageContaining("is not the head of deployment d: ask node n0 (");
        }
    }

    private static void refused(FakeRing ring, LoadRequest.Builder request, String message) {
        assertThatThrownBy(() -> ring.node(0).load(request.build()).forEachRemaining(progress -> {}))
                .hasMessageContaining(message);
    }
}
