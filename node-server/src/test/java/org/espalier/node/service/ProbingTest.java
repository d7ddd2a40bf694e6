package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ConnectOptions;
import org.espalier.cluster.FakeClusters;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.GenerationCancelledException;
import org.espalier.cluster.Link;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.Prompt;
import org.espalier.cluster.RunningGeneration;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.transport.Channels;
import org.espalier.transport.Credentials;
import org.espalier.transport.Listening;
import org.espalier.transport.NodeAddress;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.EchoReply;
import org.espalier.v1.EchoRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.ProbeReply;
import org.espalier.v1.ProbeRequest;
import org.espalier.v1.RingGrpc;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is said of the way between two nodes: that one cannot dial the other only where that is so. */
@Timeout(60)
class ProbingTest {

    @TempDir
    private static Path folder;

    private static TestCertificates ours;

    @BeforeAll
    static void make() {
        ours = new TestCertificates(folder.resolve("ours"), "a", "b");
    }

    private static NodeServer serve(String name, FakeLoader loader) {
        int port = FreePort.find();
        return NodeServer.start(
                NodeOptions.loopback(name)
                        .with(Listening.tls("127.0.0.1:" + port, ours.of(name))
                                .withAdvertised(NodeAddress.tls("127.0.0.1:" + port))),
                loader);
    }

    private static Cluster connect(String... addresses) {
        return FakeClusters.of(List.of(addresses), ConnectOptions.defaults().withCertificates(ours.client()));
    }

    /** Something else at a node's place. */
    private static Server fake(String name, BindableService service) throws Exception {
        return NettyServerBuilder.forAddress(
                        new InetSocketAddress("127.0.0.1", 0),
                        Listening.tls("127.0.0.1:0", ours.of(name)).serverCredentials())
                .addService(service)
                .build()
                .start();
    }

    private static ProbeReply probe(Server b) {
        return new LinkProbe(new Channels(Credentials.of(ours.of("a"))), () -> false)
                .measure(ProbeRequest.newBuilder()
                        .setNode("b")
                        .setAddress("tls://127.0.0.1:" + b.getPort())
                        .build());
    }

    @Test
    void aWayFromOrToANodeThatGeneratesIsNotMeasured() throws Exception {
        FakeLoader loader = new FakeLoader();
        try (NodeServer a = serve("a", new FakeLoader());
                NodeServer b = serve("b", loader);
                Cluster busy = connect(b.address())) {
            busy.load("fake", LoadOptions.defaults());
            loader.loaded.get(0).rowMillis = 20;
            RunningGeneration running = busy.start(
                    Prompt.tokens(1, 2, 3),
                    GenerateOptions.defaults().withMaxTokens(5000).ignoringEos(),
                    piece -> {});
            await(busy, 1);
            try (Cluster both = connect(a.address(), b.address())) {
                assertThat(both.links())
                        .extracting(Link::state, Link::toString)
                        .containsExactly(
                                tuple(Link.State.SKIPPED, "a to b: not measured: node b generates"),
                                tuple(Link.State.SKIPPED, "b to a: not measured: node b generates"));
                assertThat(both.notices()).isEmpty();
            } finally {
                running.cancel();
            }
            assertThatThrownBy(running::await).isInstanceOf(GenerationCancelledException.class);
            await(busy, 0);
            try (Cluster both = connect(a.address(), b.address())) {
                assertThat(both.links()).extracting(Link::isMeasured).containsExactly(true, true);
            }
        }
    }

    private static void await(Cluster cluster, int sessions) throws InterruptedException {
        for (int i = 0; i < 1000 && sessions(cluster) != sessions; i++) {
            Thread.sleep(10);
        }
        assertThat(sessions(cluster)).isEqualTo(sessions);
    }

    private static int sessions(Cluster cluster) {
        return cluster.nodes().get(0).shards().get(0).sessions();
    }

    /** A node that answers its first calls, and then no more, as on a machine that is very busy. */
    @Test
    void aNodeThatStopsAnsweringIsNotSaidToBeOutOfReach() throws Exception {
        AtomicInteger answers = new AtomicInteger(1);
        Server b = fake("b", new RingGrpc.RingImplBase() {
            @Override
            public void echo(EchoRequest request, StreamObserver<EchoReply> replies) {
                if (answers.getAndDecrement() > 0) {
                    replies.onNext(EchoReply.getDefaultInstance());
                    replies.onCompleted();
                }
            }
        });
        try {
            ProbeReply reply = probe(b);
            assertThat(reply.getUnreachable()).isEmpty();
            assertThat(reply.getSkipped())
                    .isEqualTo("node b (tls://127.0.0.1:" + b.getPort() + ") did not answer in time");
            answers.set(0);
            assertThat(probe(b).getSkipped())
                    .isEqualTo("node b (tls://127.0.0.1:" + b.getPort() + ") did not answer in time");
        } finally {
            b.shutdownNow();
        }
    }

    /** A node that has measured too much already says nothing of the way. */
    @Test
    void aNodeThatDoesNotMeasureIsNotSaidToReachNobody() throws Exception {
        Server a = fake("a", new NodeGrpc.NodeImplBase() {
            @Override
            public void describe(DescribeRequest request, StreamObserver<DescribeReply> replies) {
                replies.onNext(DescribeReply.newBuilder()
                        .setNode("a")
                        .setAdvertised("tls://127.0.0.1:" + FreePort.find())
                        .build());
                replies.onCompleted();
            }

            @Override
            public void probe(ProbeRequest request, StreamObserver<ProbeReply> replies) {
                replies.onError(
                        FailureStatus.of(new Failure("a", Failure.Kind.EXHAUSTED, "node a measures no more today")));
            }
        });
        try (NodeServer b = serve("b", new FakeLoader());
                Cluster cluster = connect("tls://127.0.0.1:" + a.getPort(), b.address())) {
            assertThat(cluster.links().get(0))
                    .isEqualTo(new Link(
                            "a", "b", 0, 0, Link.State.SKIPPED, "not measured: node a measures no more today"));
            assertThat(cluster.links().get(1).state()).isEqualTo(Link.State.UNREACHABLE);
            assertThat(cluster.notices()).hasSize(1);
            assertThat(cluster.notices().get(0)).startsWith("from b to a: nothing answers at the address of node a");
        } finally {
            a.shutdownNow();
        }
    }
}
