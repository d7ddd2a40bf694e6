package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ConnectOptions;
import org.espalier.cluster.FakeClusters;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.NodeLostException;
import org.espalier.placement.Placement;
import org.espalier.transport.Certificates;
import org.espalier.transport.LapsedCertificates;
import org.espalier.transport.Listening;
import org.espalier.transport.NodeAddress;
import org.espalier.transport.Secret;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A node that ended and is back, but does not let the client in, or is not the one that it was: why is said wherever it is missed. */
@Timeout(60)
class ReturnedNodeTest {

    @TempDir
    private Path folder;

    private static NodeServer serve(String name, Listening listening) {
        return NodeServer.start(NodeOptions.loopback(name).with(listening), new FakeLoader());
    }

    private static Listening tls(int port, Certificates certificates) {
        return Listening.tls("127.0.0.1:" + port, certificates).withAdvertised(NodeAddress.tls("127.0.0.1:" + port));
    }

    /** What is said of node b, which is there no longer as it was. */
    private static void isSaid(Cluster cluster, String address, String problem) {
        NodeInfo gone = cluster.nodes().get(1);
        assertThat(gone.reachable()).isFalse();
        assertThat(gone.problem()).isEqualTo(problem);
        assertThat(gone).hasToString("b (" + address + ") " + problem);
        assertThat(cluster.nodesInFull().get(1).problem()).isEqualTo(problem);
        assertThatThrownBy(() -> cluster.load("fake", LoadOptions.defaults().withNodes(2)))
                .hasMessageStartingWith("the cluster has 2 nodes, of which b " + problem + ", but 2 were asked for");
        cluster.load("fake", LoadOptions.defaults());
        Placement both =
                new Placement("pipeline", 6, List.of(new Placement.Shard("a", 0, 3), new Placement.Shard("b", 3, 6)));
        assertThatThrownBy(() -> cluster.split(both, LoadOptions.defaults()))
                .isInstanceOf(NodeLostException.class)
                .hasMessageStartingWith("node b (" + address + ") " + problem);
    }

    @Test
    void withAnotherSecretOrNotAtAll() throws Exception {
        Path file = Files.createFile(
                folder.resolve("secret"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, "the-first-secret-of-two\n");
        Listening asked = Listening.loopback().with(Secret.read(file));
        try (NodeServer a = serve("a", asked);
                NodeServer b = serve("b", asked);
                Cluster cluster = FakeClusters.of(
                        List.of(a.address(), b.address()),
                        ConnectOptions.defaults().withSecretFile(file))) {
            b.close();
            isSaid(cluster, b.address(), "does not answer");
            try (NodeServer other = serve(
                    "b",
                    Listening.loopback().withPort(b.port()).with(Secret.of("the-second-secret-of-two", "a test")))) {
                isSaid(
                        cluster,
                        other.address(),
                        "cannot be used: node b refused the call: its secret is not the node's, or is shown for another port, as"
                                + " behind a tunnel");
            }
            a.close();
            assertThatThrownBy(() -> cluster.load("fake", LoadOptions.defaults()))
                    .hasMessageStartingWith("no node of the cluster answers: a does not answer, b does not answer");
        }
    }

    @Test
    void withACertificateThatIsNotValidOrNotOfTheClusterOrAnothers() throws Exception {
        TestCertificates ours = new TestCertificates(folder.resolve("ours"), "a", "b", "c");
        TestCertificates theirs = new TestCertificates(folder.resolve("theirs"), "b");
        int port = FreePort.find();
        String address = "tls://127.0.0.1:" + port;
        try (NodeServer a = serve("a", tls(FreePort.find(), ours.of("a")));
                NodeServer b = serve("b", tls(port, ours.of("b")));
                Cluster cluster = FakeClusters.of(
                        List.of(a.address(), address), ConnectOptions.defaults().withCertificates(ours.client()))) {
            b.close();
            Certificates expired = LapsedCertificates.open(ours.expired("b"));
            try (NodeServer lapsed = serve("b", tls(port, expired))) {
                isSaid(
                        cluster,
                        lapsed.address(),
                        "cannot be used: no connection to " + address + ": its certificate (CN=b) expired on "
                                + Certificates.day(expired.expires()));
            }
            try (NodeServer foreign = serve("b", tls(port, theirs.of("b")))) {
                assertThat(cluster.nodes().get(1).problem())
                        .startsWith(
                                "cannot be used: no connection to " + foreign.address() + ": its certificate (CN=b,")
                        .contains(" is not of this cluster (");
            }
            try (NodeServer c = serve("c", tls(port, ours.of("c")))) {
                assertThat(cluster.nodes().get(1).problem())
                        .isEqualTo("cannot be used: no connection to " + c.address()
                                + ": its certificate is for node c, expected was node b");
            }
            try (NodeServer back = serve("b", tls(port, ours.of("b")))) {
                assertThat(cluster.nodes().get(1).reachable()).isTrue();
                assertThat(back.port()).isEqualTo(port);
            }
        }
    }
}
