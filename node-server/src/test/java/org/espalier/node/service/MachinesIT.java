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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ConnectOptions;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.GenerationCancelledException;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.NodeLostException;
import org.espalier.cluster.Prompt;
import org.espalier.cluster.RunningGeneration;
import org.espalier.placement.Placement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline over three machines with mutual TLS: what works on one works there, and what breaks is named. */
@Timeout(120)
class MachinesIT {

    private static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models", "deepseek_v3-tiny")
            .toAbsolutePath();
    private static final String MODEL = MODELS.resolve("hf").toString();
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision("float32");
    private static final Prompt PROMPT = Prompt.text("the oldest tree of the garden");
    private static final GenerateOptions FORTY =
            GenerateOptions.defaults().withMaxTokens(40).ignoringEos();
    private static final List<String> NAMES = List.of("mini-1", "mini-2", "mini-3");

    @TempDir
    private static Path folder;

    private static TestCertificates ours;
    private static Machines machines;

    @BeforeAll
    static void start() throws Exception {
        machines = new Machines(3, folder);
        ours = new TestCertificates(folder.resolve("cluster"), NAMES.toArray(String[]::new));
        for (int i = 0; i < 3; i++) {
            serve(i);
        }
    }

    private static void serve(int machine) throws Exception {
        machines.serve(machine, ours.folder(NAMES.get(machine)), MODELS);
    }

    @AfterAll
    static void stop() throws Exception {
        if (machines != null) {
            machines.close();
        }
    }

    private static Cluster connect() {
        return Cluster.of(machines.addresses(), ConnectOptions.defaults().withCertificates(ours.client()));
    }

    private static List<Integer> alone() {
        try (Cluster cluster = LocalCluster.embedded()) {
            cluster.load(MODEL, FLOAT32.withEngine("reference"));
            return cluster.generate(PROMPT, FORTY).tokens();
        }
    }

    @Test
    void threeMachinesGiveWhatOneNodeGivesHoweverTheyAreSplit() {
        try (Cluster cluster = connect()) {
            assertThat(cluster.nodes()).extracting(NodeInfo::name).containsExactlyElementsOf(NAMES);
            assertThat(cluster.links())
                    .hasSize(6)
                    .allMatch(link -> link.isMeasured() && link.bytesPerSecond() > 1_000_000);
            System.err.println("links of three machines: " + cluster.links());
            Deployment first = cluster.load(MODEL, FLOAT32);
            List<Integer> alone = alone();
            assertThat(cluster.generate(PROMPT, FORTY).tokens()).isEqualTo(alone);
            int layers = first.placement().layers();
            Placement uneven = new Placement(
                    "pipeline",
                    layers,
                    List.of(new Placement.Shard("mini-3", 0, 1), new Placement.Shard("mini-1", 1, layers)));
            cluster.split(uneven, FLOAT32);
            assertThat(cluster.generate(PROMPT, FORTY).tokens()).isEqualTo(alone);
            cluster.unload();
        }
    }

    @Test
    void cancellingEndsTheWorkOnAllMachines() {
        try (Cluster cluster = connect()) {
            cluster.load(MODEL, FLOAT32);
            RunningGeneration running = cluster.start(PROMPT, endless(), piece -> {});
            running.cancel();
            assertThatThrownBy(running::await).isInstanceOf(GenerationCancelledException.class);
            assertThat(cluster.generate(PROMPT, FORTY).tokens()).hasSize(40);
            cluster.unload();
        }
    }

    private static GenerateOptions endless() {
        return GenerateOptions.defaults().withMaxTokens(200).ignoringEos();
    }

    private interface Accident {
        void happen() throws Exception;
    }

    /** Generates without end, breaks something meanwhile, and returns what the generation says. */
    private static NodeLostException broken(Cluster cluster, Accident accident) throws Exception {
        CompletableFuture<Void> running = new CompletableFuture<>();
        CompletableFuture<NodeLostException> error = CompletableFuture.supplyAsync(() -> {
            try {
                while (true) {
                    cluster.generate(PROMPT, endless(), piece -> running.complete(null));
                }
            } catch (NodeLostException e) {
                return e;
            }
        });
        running.get(30, TimeUnit.SECONDS);
        accident.happen();
        return error.get(30, TimeUnit.SECONDS);
    }

    @Test
    void aKilledNodeIsNamedAndJoinsAgainWhenItIsBack() throws Exception {
        try (Cluster cluster = connect()) {
            cluster.load(MODEL, FLOAT32);
            List<Integer> before = cluster.generate(PROMPT, FORTY).tokens();
            NodeLostException lost = broken(cluster, () -> machines.signal(1, "KILL"));
            assertThat(lost.node()).isEqualTo("mini-2");
            assertThat(lost).hasMessageContaining("node mini-2 (tls://" + machines.address(1) + ") is lost: ");
            assertThat(cluster.nodes()).extracting(NodeInfo::reachable).containsExactly(true, false, true);
            cluster.load(FLOAT32);
            assertThat(cluster.generate(PROMPT, FORTY).tokens()).isEqualTo(before);
            serve(1);
            cluster.load(FLOAT32);
            assertThat(cluster.deployment().orElseThrow().placement().nodes()).contains("mini-2");
            assertThat(cluster.generate(PROMPT, FORTY).tokens()).isEqualTo(before);
            cluster.unload();
        }
    }

    @Test
    void aNodeThatHangsIsNamed() throws Exception {
        try (Cluster cluster = connect()) {
            cluster.load(MODEL, FLOAT32);
            NodeLostException lost = broken(cluster, () -> machines.signal(2, "STOP"));
            assertThat(lost.node()).isEqualTo("mini-3");
            machines.signal(2, "CONT");
            cluster.load(FLOAT32);
            assertThat(cluster.generate(PROMPT, FORTY).tokens()).hasSize(40);
            cluster.unload();
        } finally {
            machines.signal(2, "CONT");
        }
    }

    @Test
    void aCableThatIsPulledIsNamed() throws Exception {
        try (Cluster cluster = connect()) {
            cluster.load(MODEL, FLOAT32);
            NodeLostException lost = broken(cluster, () -> machines.unplug(1));
            assertThat(lost.node()).isIn("mini-1", "mini-2", "mini-3");
            assertThat(lost).hasMessageContaining(" is lost: ");
            machines.plug(1);
        } finally {
            machines.plug(1);
        }
        try (Cluster cluster = connect()) {
            cluster.load(MODEL, FLOAT32.forced());
            assertThat(cluster.generate(PROMPT, FORTY).tokens()).hasSize(40);
            cluster.unload();
        }
    }

    @Test
    void aForeignClientGetsNothing() {
        TestCertificates theirs = new TestCertificates(folder.resolve("theirs"));
        assertThatThrownBy(() -> Cluster.of(
                        machines.addresses(), ConnectOptions.defaults().withCertificates(theirs.client())))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("is not of this cluster");
    }

    @Test
    void anExpiredCertificateServesNobodyAndOpensNothing() throws Exception {
        Path client = ours.expired("client");
        assertThatThrownBy(() -> Cluster.of(
                        machines.addresses(), ConnectOptions.defaults().withCertificates(client)))
                .hasMessageContaining("the certificate in " + client + " expired on ");
        Throwable refused = AnyNode.call(machines.host(0), 50515, Optional.of(client));
        assertThat(Status.fromThrowable(refused).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        awaitLog(0, "its certificate (CN=client) expired on ");
        Path node = ours.expired("mini-3");
        try {
            machines.signal(2, "KILL");
            machines.node(2).waitFor();
            assertThatThrownBy(() -> machines.serve(2, node, MODELS))
                    .hasMessageContaining("the certificate in " + node + " expired on ")
                    .hasMessageContaining("`espalier-node init --renew mini-3` makes another");
        } finally {
            serve(2);
        }
    }

    @Test
    void plainTextAndTlsDoNotSpeakToEachOther() throws Exception {
        assertThatThrownBy(() -> Cluster.of("plain://" + machines.address(0)))
                .hasMessage("plain text is for loopback only, and " + machines.host(0)
                        + " is another machine's address: write tls://" + machines.address(0));
        Throwable refused = AnyNode.callInPlainText(machines.host(0), 50515);
        assertThat(Status.fromThrowable(refused).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        awaitLog(0, "it speaks plain text, expected TLS");
        Server plain = NettyServerBuilder.forAddress(new InetSocketAddress(machines.bridge(), 0))
                .build()
                .start();
        try {
            String address = machines.bridge() + ":" + plain.getPort();
            assertThatThrownBy(() -> Cluster.of(
                            List.of(address), ConnectOptions.defaults().withCertificates(ours.client())))
                    .hasMessageContaining("no connection to tls://" + address + ": it speaks plain text, expected TLS");
        } finally {
            plain.shutdownNow();
        }
    }

    /** What a node's log says of callers. */
    private static void awaitLog(int machine, String words) throws Exception {
        for (int i = 0; i < 1000 && !machines.log(machine).contains(words); i++) {
            Thread.sleep(10);
        }
        assertThat(machines.log(machine))
                .contains("no connection with a caller at /" + machines.bridge())
                .contains(words);
    }

    /** At the address of mini-3 a machine with another node's folder serves. */
    @Test
    void anotherNodeAtAnAddressIsNoticed() throws Exception {
        try (Cluster cluster = connect()) {
            machines.signal(2, "KILL");
            machines.node(2).waitFor();
            machines.serve(2, ours.folder("mini-1"), MODELS);
            assertThat(cluster.nodes().get(2).reachable()).isFalse();
            assertThatThrownBy(MachinesIT::connect).hasMessageContaining("two nodes have the name mini-1");
        } finally {
            machines.signal(2, "KILL");
            machines.node(2).waitFor();
            serve(2);
        }
    }
}
