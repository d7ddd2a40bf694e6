package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ClusterException;
import org.espalier.cluster.ConnectOptions;
import org.espalier.transport.Certificates;
import org.espalier.transport.Channels;
import org.espalier.transport.Credentials;
import org.espalier.transport.LapsedCertificates;
import org.espalier.transport.Listening;
import org.espalier.transport.NodeAddress;
import org.espalier.v1.ProbeRequest;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Certificates that expire: said 30 days ahead, and refused afterwards, on both sides. */
@Timeout(60)
class ExpiryTest {

    @TempDir
    private static Path folder;

    private static TestCertificates ours;

    @BeforeAll
    static void make() {
        ours = new TestCertificates(folder.resolve("ours"), "a", "b");
    }

    private static NodeServer serve(Certificates certificates) {
        int port = FreePort.find();
        return NodeServer.start(
                NodeOptions.loopback(certificates.peer().name())
                        .with(Listening.tls("127.0.0.1:" + port, certificates)
                                .withAdvertised(NodeAddress.tls("127.0.0.1:" + port))),
                new FakeLoader());
    }

    private static String renewed(String name, Certificates certificates) {
        return " expires on " + Certificates.day(certificates.expires()) + ": `espalier-node init --renew " + name
                + "` makes another, on the machine with the CA";
    }

    @Test
    void aCertificateThatExpiresWithin30DaysIsSaid() throws Exception {
        Path soon = ours.expiringIn("client", 29);
        Certificates late = Certificates.read(ours.expiringIn("a", 31));
        Certificates early = Certificates.read(ours.expiringIn("b", 3));
        try (NodeServer a = serve(late);
                NodeServer b = serve(early);
                Cluster cluster = Cluster.of(
                        List.of(a.address(), b.address()),
                        ConnectOptions.defaults().withCertificates(soon))) {
            assertThat(cluster.notices())
                    .containsExactly(
                            "this client's certificate in " + soon + renewed("client", Certificates.read(soon)),
                            "the certificate of node b (" + b.address() + ")" + renewed("b", early));
        }
        try (NodeServer a = serve(late);
                Cluster cluster = Cluster.of(
                        List.of(a.address()), ConnectOptions.defaults().withCertificates(ours.client()))) {
            assertThat(cluster.notices()).isEmpty();
        }
    }

    @Test
    void nobodyStartsWithAnExpiredCertificate() throws Exception {
        Path client = ours.expired("client");
        assertThatThrownBy(() -> Cluster.of(
                        List.of("tls://127.0.0.1:1"), ConnectOptions.defaults().withCertificates(client)))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("the certificate in " + client + " expired on ")
                .hasMessageEndingWith("`espalier-node init --renew client` makes another, on the machine with the CA");
    }

    /** It was valid when the node started. */
    @Test
    void aNodeWhoseCertificateExpiredMeanwhileIsRefusedByClientsAndNodes() throws Exception {
        Certificates expired = LapsedCertificates.open(ours.expired("b"));
        String why = "no connection to %s: its certificate (CN=b) expired on " + Certificates.day(expired.expires());
        try (NodeServer b = serve(expired);
                Logged log = new Logged("org.espalier.transport")) {
            assertThatThrownBy(() -> Cluster.of(
                            List.of(b.address()), ConnectOptions.defaults().withCertificates(ours.client())))
                    .isInstanceOf(ClusterException.class)
                    .hasMessage(String.format(why, b.address()));
            log.await("no connection with a caller at /127.0.0.1:[0-9]+: (it says that the certificate shown to it has"
                    + " expired|it refused the certificate shown to it, and says why on its side)");
            LinkProbe fromA = new LinkProbe(new Channels(Credentials.of(ours.of("a"))), () -> false);
            assertThat(fromA.measure(ProbeRequest.newBuilder()
                                    .setNode("b")
                                    .setAddress(b.address())
                                    .build())
                            .getUnreachable())
                    .isEqualTo(String.format(why, "node b (" + b.address() + ")"));
        }
    }
}
