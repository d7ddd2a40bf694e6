package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.List;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.LoadProgress;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.NodeGrpc;
import org.junit.jupiter.api.Test;

/** What nodes say of their failures arrives as a value, whatever its words; what others say becomes a clear sentence. */
class NodeExceptionTest {

    @Test
    void aRemedyTravelsFromTheNodeToTheUser() {
        try (NodeServer node = NodeServer.start(NodeOptions.loopback("n0"), new FakeLoader());
                Cluster cluster = Cluster.of(List.of(node.address()), new FakeModels())) {
            NodeException error =
                    catchThrowableOfType(NodeException.class, () -> cluster.load("large:n0", LoadOptions.defaults()));
            assertThat(error.kind()).isEqualTo(Failure.Kind.OUT_OF_MEMORY);
            assertThat(error.node()).isEqualTo("n0");
            assertThat(error.remedy()).contains(Remedy.SPLIT_OVER_MORE_NODES);
            assertThat(error.what()).isEqualTo("node n0 does not have enough memory for its shard of large:n0 (heap)");
        }
    }

    @Test
    void aFailedStepIsNoLostNode() {
        FakeLoader loader = new FakeLoader();
        try (NodeServer node = NodeServer.start(NodeOptions.loopback("n0"), loader);
                Cluster cluster = Cluster.of(List.of(node.address()), new FakeModels())) {
            cluster.load("m", LoadOptions.defaults());
            loader.loaded.get(0).failAtLength = 7;
            NodeException error = catchThrowableOfType(
                    NodeException.class, () -> cluster.generate(Prompt.text("HELLO"), GenerateOptions.defaults()));
            assertThat(error.kind()).isEqualTo(Failure.Kind.ENGINE_FAILED);
            assertThat(error.node()).isEqualTo("n0");
            assertThat(error)
                    .hasMessageMatching(
                            "node n0 \\(" + node.address() + "\\) could not run step [0-9]+: op 3 went wrong");
        }
    }

    @Test
    void wordsDecideNothing() throws Exception {
        // The old rules took the first for the transport's own words and replaced them, and the second for ours.
        loadFails(
                FailureStatus.of(new Failure("n7", Failure.Kind.NODE_LOST, "io exception at the far end")),
                new Failure("n7", Failure.Kind.NODE_LOST, "io exception at the far end"));
        loadFails(
                Status.UNAVAILABLE.withDescription("the upstream connect error").asRuntimeException(),
                new Failure("odd", Failure.Kind.NODE_LOST, "node odd (ADDRESS) is lost: its connection closed"));
        loadFails(
                Status.INTERNAL.withDescription("the proxy hates node things").asRuntimeException(),
                new Failure(
                        "odd",
                        Failure.Kind.INTERNAL,
                        "node odd (ADDRESS) failed without saying why: INTERNAL (the proxy hates node things)"));
    }

    @Test
    void anotherKindOfServerIsNotTakenForAnEmptyAddress() throws Exception {
        Server server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                .build()
                .start();
        String address = "127.0.0.1:" + server.getPort();
        try {
            assertThatThrownBy(() -> Cluster.of(List.of(address), new FakeModels()))
                    .isInstanceOf(NodeException.class)
                    .hasMessage("node " + address
                            + " does not know this call: it is not an Espalier node, or runs another version");
        } finally {
            server.shutdownNow();
        }
    }

    /** A server with the failure that it gives to every load. */
    private static void loadFails(StatusRuntimeException given, Failure expected) throws Exception {
        BindableService odd = new NodeGrpc.NodeImplBase() {
            @Override
            public void describe(DescribeRequest request, StreamObserver<DescribeReply> replies) {
                replies.onNext(DescribeReply.newBuilder()
                        .setNode("odd")
                        .setFreeMemoryBytes(1 << 30)
                        .build());
                replies.onCompleted();
            }

            @Override
            public void load(LoadRequest request, StreamObserver<LoadProgress> replies) {
                replies.onError(given);
            }
        };
        Server server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                .addService(odd)
                .build()
                .start();
        String address = "127.0.0.1:" + server.getPort();
        try (Cluster cluster = Cluster.of(List.of(address), new FakeModels())) {
            assertThatThrownBy(() -> cluster.load("m", LoadOptions.defaults()))
                    .isInstanceOfSatisfying(NodeException.class, error -> {
                        assertThat(error.what()).isEqualTo(expected.message().replace("ADDRESS", address));
                        assertThat(error.kind()).isEqualTo(expected.kind());
                        assertThat(error.node()).isEqualTo(expected.node());
                        assertThat(error instanceof NodeLostException)
                                .isEqualTo(expected.kind() == Failure.Kind.NODE_LOST);
                    });
        } finally {
            server.shutdownNow();
        }
    }
}
