package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ConnectOptions;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.Link;
import org.espalier.cluster.NodeInfo;
import org.espalier.placement.Placement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline over three machines with mutual TLS: what works on one works there, and strangers get nothing. {@link MachineFaultsIT} has what breaks. */
@Timeout(120)
class MachinesIT {

    @TempDir
    private static Path folder;

    private static ThreeMachines machines;

    @BeforeAll
    static void start() throws Exception {
        machines = new ThreeMachines(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        if (machines != null) {
            machines.close();
        }
    }

    private static List<Integer> alone() {
        try (Cluster cluster = LocalCluster.embedded()) {
            cluster.load(ThreeMachines.MODEL, ThreeMachines.FLOAT32.withEngine("reference"));
            return cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY).tokens();
        }
    }

    @Test
    void threeMachinesGiveWhatOneNodeGivesHoweverTheyAreSplit() {
        try (Cluster cluster = machines.connect()) {
            assertThat(cluster.nodes()).extracting(NodeInfo::name).containsExactlyElementsOf(ThreeMachines.NAMES);
            assertThat(cluster.links())
                    .allSatisfy(link -> {
                        assertThat(link.state()).as("%s", link).isNotEqualTo(Link.State.UNREACHABLE);
                        assertThat(link.roundTripMicros() > 0)
                                .isEqualTo(link.isMeasured()); // not in time where nodes are held up
                    })
                    .extracting(link -> link.from() + " to " + link.to())
                    .containsExactly(
                            "mini-1 to mini-2",
                            "mini-1 to mini-3",
                            "mini-2 to mini-1",
                            "mini-2 to mini-3",
                            "mini-3 to mini-1",
                            "mini-3 to mini-2");
            System.err.println("links of three machines: " + cluster.links());
            Deployment first = cluster.load(ThreeMachines.MODEL, ThreeMachines.FLOAT32);
            List<Integer> alone = alone();
            assertThat(cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY)
                            .tokens())
                    .isEqualTo(alone);
            int layers = first.placement().layers();
            Placement uneven = new Placement(
                    "pipeline",
                    layers,
                    List.of(new Placement.Shard("mini-3", 0, 1), new Placement.Shard("mini-1", 1, layers)));
            cluster.split(uneven, ThreeMachines.FLOAT32);
            assertThat(cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY)
                            .tokens())
                    .isEqualTo(alone);
            cluster.unload();
        }
    }

    @Test
    void aForeignClientGetsNothing() {
        TestCertificates theirs = new TestCertificates(folder.resolve("theirs"));
        assertThatThrownBy(() -> Cluster.of(
                        machines.hosts().addresses(), ConnectOptions.defaults().withCertificates(theirs.client())))
                .isInstanceOf(EspalierException.class)
                .hasMessageMatching("no connection to tls://198\\.18\\.[0-9]+\\.([123]):50515"
                        + ": its certificate \\(CN=mini-\\1, issued by CN=Espalier cluster [0-9a-f]{8}\\) is not of this"
                        + " cluster \\(CN=Espalier cluster [0-9a-f]{8}\\)");
    }

    @Test
    void anExpiredCertificateServesNobodyAndOpensNothing() throws Exception {
        Path client = machines.certificates().expired("client");
        assertThatThrownBy(() -> Cluster.of(
                        machines.hosts().addresses(), ConnectOptions.defaults().withCertificates(client)))
                .hasMessageContaining("the certificate in " + client + " expired on ");
        Throwable refused = AnyNode.call(machines.hosts().host(0), 50515, Optional.of(client));
        assertThat(Status.fromThrowable(refused).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        awaitLog(0, "its certificate (CN=client) expired on ");
        Path node = machines.certificates().expired("mini-3");
        try {
            machines.hosts().signal(2, "KILL");
            machines.hosts().node(2).waitFor();
            assertThatThrownBy(() -> machines.hosts().serve(2, node, ThreeMachines.MODELS))
                    .hasMessageContaining("the certificate in " + node + " expired on ")
                    .hasMessageContaining("`espalier-node init --renew mini-3` makes another");
        } finally {
            machines.serve(2);
        }
    }

    @Test
    void plainTextAndTlsDoNotSpeakToEachOther() throws Exception {
        assertThatThrownBy(() -> Cluster.of("plain://" + machines.hosts().address(0)))
                .hasMessage("plain text is for loopback only, and "
                        + machines.hosts().host(0) + " is another machine's address: write tls://"
                        + machines.hosts().address(0));
        Throwable refused = AnyNode.callInPlainText(machines.hosts().host(0), 50515);
        assertThat(Status.fromThrowable(refused).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        awaitLog(0, "it speaks plain text, expected TLS");
        Server plain = NettyServerBuilder.forAddress(
                        new InetSocketAddress(machines.hosts().bridge(), 0))
                .build()
                .start();
        try {
            String address = machines.hosts().bridge() + ":" + plain.getPort();
            assertThatThrownBy(() -> Cluster.of(
                            List.of(address),
                            ConnectOptions.defaults()
                                    .withCertificates(machines.certificates().client())))
                    .hasMessageContaining("no connection to tls://" + address + ": it speaks plain text, expected TLS");
        } finally {
            plain.shutdownNow();
        }
    }

    /** What a node's log says of callers. */
    private static void awaitLog(int machine, String words) throws Exception {
        for (int i = 0; i < 1000 && !machines.hosts().log(machine).contains(words); i++) {
            Thread.sleep(10);
        }
        assertThat(machines.hosts().log(machine))
                .contains("no connection with a caller at /" + machines.hosts().bridge())
                .contains(words);
    }
}
