package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ClusterException;
import org.espalier.cluster.ConnectOptions;
import org.espalier.cluster.FakeClusters;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Link;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.Prompt;
import org.espalier.transport.Certificates;
import org.espalier.transport.Channels;
import org.espalier.transport.Credentials;
import org.espalier.transport.Listening;
import org.espalier.transport.NodeAddress;
import org.espalier.transport.PeerIdentity;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.Frame;
import org.espalier.v1.Hello;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.RingGrpc;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nodes over TLS on loopback: who is let in, who is not, and that both sides say why. */
@Timeout(60)
class TlsTest {

    private static final String CALLER = "no connection with a caller at /127.0.0.1:[0-9]+: ";

    @TempDir
    private static Path folder;

    private static TestCertificates ours;
    private static TestCertificates theirs;

    @BeforeAll
    static void make() {
        ours = new TestCertificates(folder.resolve("ours"), "a", "b");
        theirs = new TestCertificates(folder.resolve("theirs"));
    }

    private static NodeServer serve(Certificates certificates) {
        return serve(certificates, certificates.peer().name());
    }

    private static NodeServer serve(Certificates certificates, String name) {
        return NodeServer.start(
                NodeOptions.loopback(name).with(Listening.tls("127.0.0.1:0", certificates)), new FakeLoader());
    }

    private static ConnectOptions client(TestCertificates cluster) {
        return ConnectOptions.defaults().withCertificates(cluster.client());
    }

    private static ManagedChannel channel(Certificates shown, NodeServer node) {
        return new Channels(Credentials.of(shown))
                .toAddress(NodeAddress.parse(node.address()), PeerIdentity.anyNode())
                .build();
    }

    /** Does something that a node refuses, and waits for the line that its log has of it. */
    private static void refusing(String line, Runnable work) throws InterruptedException {
        try (Logged log = new Logged("org.espalier.transport")) {
            work.run();
            log.await(line);
        }
    }

    @Test
    void aClientLearnsTheNodesNameAndWhenItsCertificateExpires() {
        try (NodeServer a = serve(ours.of("a"));
                Cluster cluster = Cluster.of(List.of(a.address()), client(ours))) {
            assertThat(a.address()).startsWith("tls://127.0.0.1:");
            NodeInfo node = cluster.nodes().get(0);
            assertThat(node.name()).isEqualTo("a");
            assertThat(node.certificateExpires()).contains(ours.of("a").expires());
        }
    }

    @Test
    void aNodeMustBeCalledAsItsCertificateSays() {
        assertThatThrownBy(() -> serve(ours.of("a"), "mini-1"))
                .isInstanceOf(EspalierException.class)
                .hasMessage(
                        "the certificate in " + ours.folder("a") + " is for node a, and this is node mini-1: leave out"
                                + " `--name`, or make a folder with `espalier-node init --add mini-1`");
        assertThatThrownBy(() -> Listening.tls("127.0.0.1:0", Certificates.read(ours.client())))
                .hasMessage("the certificate in " + ours.client() + " is for a client, a node's is needed here");
    }

    @Test
    void aForeignClientIsRefusedAndAForeignNodeIsNotTrusted() throws Exception {
        try (NodeServer a = serve(ours.of("a"));
                Logged log = new Logged("org.espalier.transport")) {
            assertThatThrownBy(() -> Cluster.of(List.of(a.address()), client(theirs)))
                    .isInstanceOf(ClusterException.class)
                    .hasMessageMatching("no connection to " + a.address()
                            + ": its certificate \\(CN=a, issued by CN=Espalier cluster [0-9a-f]{8}\\) is not of this"
                            + " cluster \\(CN=Espalier cluster [0-9a-f]{8}\\)");
            log.await(CALLER + "it refused the certificate shown to it, and says why on its side");
        }
    }

    /** A client that trusts whomever it meets: then it is for the node to refuse. */
    @Test
    void theNodeSaysWhyItRefusesACertificate() throws Exception {
        try (NodeServer a = serve(ours.of("a"))) {
            refusing(
                    CALLER + "its certificate \\(CN=client, issued by CN=Espalier cluster [0-9a-f]{8}\\)"
                            + " is not of this cluster \\(CN=Espalier cluster [0-9a-f]{8}\\)",
                    () -> assertThat(Status.fromThrowable(
                                            AnyNode.call("127.0.0.1", a.port(), Optional.of(theirs.client())))
                                    .getCode())
                            .isEqualTo(Status.Code.UNAVAILABLE));
        }
    }

    @Test
    void withoutACertificateNobodyIsLetIn() throws Exception {
        try (NodeServer a = serve(ours.of("a"))) {
            refusing(
                    CALLER + "it showed no certificate",
                    () -> assertThat(Status.fromThrowable(AnyNode.call("127.0.0.1", a.port(), Optional.empty()))
                                    .getCode())
                            .isEqualTo(Status.Code.UNAVAILABLE));
            assertThatThrownBy(() -> Cluster.of(
                            List.of(a.address()), ConnectOptions.defaults().withCertificates(folder)))
                    .hasMessageContaining("identity.p12");
        }
    }

    @Test
    void anExpiredCertificateIsSaidBeforeItIsUsedAndRefusedByTheNode() throws Exception {
        Path expired = ours.expired("b");
        assertThatThrownBy(() -> Certificates.read(expired))
                .hasMessageContaining("the certificate in " + expired + " expired on ");
        try (NodeServer a = serve(ours.of("a"))) {
            refusing(
                    CALLER + "its certificate \\(CN=b\\) expired on [0-9-]+",
                    () -> assertThat(Status.fromThrowable(AnyNode.call("127.0.0.1", a.port(), Optional.of(expired)))
                                    .getCode())
                            .isEqualTo(Status.Code.UNAVAILABLE));
        }
    }

    @Test
    void plainAndTlsDoNotSpeakToEachOtherAndSaySo() throws Exception {
        try (NodeServer tls = serve(ours.of("a"));
                NodeServer plain = NodeServer.start(NodeOptions.loopback("p"), new FakeLoader())) {
            String wrong = "127.0.0.1:" + tls.port();
            refusing(
                    CALLER + "it speaks plain text, expected TLS",
                    () -> assertThatThrownBy(() -> Cluster.of(List.of(wrong)))
                            .hasMessage(
                                    "what listens at " + wrong + " hung up when it was spoken to in plain text: if it"
                                            + " was started with `--listen`, write tls://" + wrong));
            refusing(
                    CALLER + "it does not speak HTTP/2 in plain text, as this node does",
                    () -> assertThatThrownBy(() -> Cluster.of(List.of("tls://127.0.0.1:" + plain.port()), client(ours)))
                            .hasMessageContaining("no connection to tls://127.0.0.1:" + plain.port()
                                    + ": it speaks plain text, expected TLS"));
        }
    }

    @Test
    void ringsAreForNodesAndOrdersFromClients() throws Exception {
        try (NodeServer a = serve(ours.of("a"))) {
            ManagedChannel asNode = channel(ours.of("b"), a);
            ManagedChannel asClient = channel(Certificates.read(ours.client()), a);
            try {
                assertThat(catchThrowable(
                                () -> NodeGrpc.newBlockingStub(asNode).describe(DescribeRequest.getDefaultInstance())))
                        .hasMessage(
                                "PERMISSION_DENIED: node a refused the call: its certificate is for node b, and only"
                                        + " clients give orders");
                assertThat(hello(asClient, "b"))
                        .hasMessage(
                                "PERMISSION_DENIED: node a refused the call: its certificate is a client's, and a ring"
                                        + " is of nodes");
                assertThat(hello(asNode, "c"))
                        .hasMessageContaining(
                                "a link says that it comes from node c, and its certificate is for node b");
                assertThat(hello(asNode, "b")).hasMessageContaining("node a has no deployment");
            } finally {
                asNode.shutdownNow();
                asClient.shutdownNow();
            }
        }
    }

    private static Throwable hello(ManagedChannel channel, String from) throws Exception {
        CompletableFuture<Throwable> error = new CompletableFuture<>();
        StreamObserver<Frame> link = RingGrpc.newStub(channel).link(new StreamObserver<>() {
            @Override
            public void onNext(Frame frame) {}

            @Override
            public void onError(Throwable failure) {
                error.complete(failure);
            }

            @Override
            public void onCompleted() {
                error.complete(null);
            }
        });
        link.onNext(Frame.newBuilder()
                .setHello(Hello.newBuilder().setDeployment("d").setEpoch(1).setNode(from))
                .build());
        return error.get(20, TimeUnit.SECONDS);
    }

    @Test
    void aRingOverTlsGivesWhatOneInPlainTextGives() {
        List<Integer> tokens = List.of();
        for (boolean tls : List.of(true, false)) {
            try (NodeServer a = ringNode("a", tls);
                    NodeServer b = ringNode("b", tls);
                    Cluster cluster = FakeClusters.of(
                            List.of(a.address(), b.address()), tls ? client(ours) : ConnectOptions.defaults())) {
                cluster.load("fake", LoadOptions.defaults());
                List<Integer> now = cluster.generate(
                                Prompt.tokens(1, 2, 3),
                                GenerateOptions.defaults().withMaxTokens(12).ignoringEos())
                        .tokens();
                assertThat(now).hasSize(12);
                tokens = tokens.isEmpty() ? now : tokens;
                assertThat(now).isEqualTo(tokens);
            }
        }
    }

    private static NodeServer ringNode(String name, boolean tls) {
        if (!tls) {
            return NodeServer.start(NodeOptions.loopback(name), new FakeLoader());
        }
        int port = FreePort.find();
        return NodeServer.start(
                NodeOptions.loopback(name)
                        .with(Listening.tls("127.0.0.1:" + port, ours.of(name))
                                .withAdvertised(NodeAddress.tls("127.0.0.1:" + port))),
                new FakeLoader());
    }

    @Test
    void aNodeReachedByLoopbackIsInNoRing() {
        try (NodeServer a = serve(ours.of("a"));
                NodeServer b = serve(ours.of("b"));
                Cluster cluster = FakeClusters.of(List.of(a.address(), b.address()), client(ours))) {
            assertThatThrownBy(() -> cluster.load("fake", LoadOptions.defaults()))
                    .isInstanceOf(ClusterException.class)
                    .hasMessage(
                            "node a (" + a.address() + ") was reached by loopback, which other nodes cannot dial: start"
                                    + " it with `--advertise HOST:PORT`, or connect to it by an address of its machine");
        }
    }

    /** Another node of the same cluster at the address of the next one: the ring asks for a name, not for any node. */
    @Test
    void aRingLinkChecksTheNameOfThePlacement() {
        int port = FreePort.find();
        try (NodeServer a = ringNode("a", true);
                NodeServer b = NodeServer.start(
                        NodeOptions.loopback("b")
                                .with(Listening.tls("127.0.0.1:" + port, ours.of("b"))
                                        .withAdvertised(NodeAddress.parse(a.address()))),
                        new FakeLoader());
                Cluster cluster = FakeClusters.of(List.of(a.address(), b.address()), client(ours))) {
            assertThatThrownBy(() -> cluster.load("fake", LoadOptions.defaults()))
                    .hasMessageContaining("node a (" + a.address() + ") cannot join the next: no connection to node b ("
                            + a.address() + "): its certificate");
        }
    }

    /** Any user of a machine may listen on its loopback. */
    @Test
    void aNodeWithACertificateDialsNoPlainText() {
        Channels channels = new Channels(Credentials.of(ours.of("a")));
        assertThatThrownBy(() -> channels.toNode("b", "127.0.0.1:6000"))
                .hasMessage("node b is said to be at 127.0.0.1:6000: a node with a certificate dials no plain text,"
                        + " where any user of its machine may listen");
    }

    /** b advertises an address where nobody listens: that is said at once, not when a model is loaded. */
    @Test
    void aNodeThatItsNeighbourCannotDialIsNamedWhenConnecting() {
        int nowhere = FreePort.find();
        try (NodeServer a = ringNode("a", true);
                NodeServer b = NodeServer.start(
                        NodeOptions.loopback("b")
                                .with(Listening.tls("127.0.0.1:0", ours.of("b"))
                                        .withAdvertised(NodeAddress.tls("127.0.0.1:" + nowhere))),
                        new FakeLoader());
                Cluster cluster = FakeClusters.of(List.of(a.address(), b.address()), client(ours))) {
            assertThat(cluster.links()).extracting(Link::isMeasured).containsExactly(false, true);
            assertThat(cluster.notices())
                    .containsExactly("from a to b: nothing answers at the address of node b (tls://127.0.0.1:" + nowhere
                            + "); the two cannot be neighbours in a ring like that");
        }
    }
}
