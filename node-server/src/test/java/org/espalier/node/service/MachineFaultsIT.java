package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.GenerationCancelledException;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.NodeLostException;
import org.espalier.cluster.RunningGeneration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Three machines with mutual TLS that are killed, hang, are unplugged and taken over: each is named. */
@Timeout(120)
@EnabledIfSystemProperty(
        named = "espalier.machines",
        matches = "all",
        disabledReason = "machines that break take a minute: mvn -B -Pmachines -pl node-server -am verify")
class MachineFaultsIT {

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

    @Test
    void cancellingEndsTheWorkOnAllMachines() throws Exception {
        try (Cluster cluster = machines.connect()) {
            cluster.load(ThreeMachines.MODEL, ThreeMachines.FLOAT32);
            RunningGeneration running = cluster.start(ThreeMachines.PROMPT, endless(), piece -> {});
            running.cancel();
            assertThatThrownBy(running::await).isInstanceOf(GenerationCancelledException.class);
            for (int i = 0; i < 1000 && sessions(cluster) > 0; i++) {
                Thread.sleep(10);
            }
            assertThat(sessions(cluster)).isZero();
            assertThat(cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY)
                            .tokens())
                    .hasSize(40);
            cluster.unload();
        }
    }

    private static int sessions(Cluster cluster) {
        return cluster.nodes().stream()
                .peek(node -> assertThat(node.shards()).as("%s", node).hasSize(1))
                .mapToInt(node -> node.shards().get(0).sessions())
                .sum();
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
                    cluster.generate(ThreeMachines.PROMPT, endless(), piece -> running.complete(null));
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
        try (Cluster cluster = machines.connect()) {
            cluster.load(ThreeMachines.MODEL, ThreeMachines.FLOAT32);
            List<Integer> before =
                    cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY).tokens();
            NodeLostException lost = broken(cluster, () -> machines.hosts().signal(1, "KILL"));
            assertThat(lost.node()).isEqualTo("mini-2");
            assertThat(lost)
                    .hasMessageContaining(
                            "node mini-2 (tls://" + machines.hosts().address(1) + ") is lost: ");
            assertThat(cluster.nodes()).extracting(NodeInfo::reachable).containsExactly(true, false, true);
            cluster.load(ThreeMachines.FLOAT32);
            assertThat(cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY)
                            .tokens())
                    .isEqualTo(before);
            machines.serve(1);
            cluster.load(ThreeMachines.FLOAT32);
            assertThat(cluster.deployment().orElseThrow().placement().nodes()).contains("mini-2");
            assertThat(cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY)
                            .tokens())
                    .isEqualTo(before);
            cluster.unload();
        }
    }

    @Test
    void aNodeThatHangsIsNamed() throws Exception {
        try (Cluster cluster = machines.connect()) {
            cluster.load(ThreeMachines.MODEL, ThreeMachines.FLOAT32);
            NodeLostException lost = broken(cluster, () -> machines.hosts().signal(2, "STOP"));
            assertThat(lost.node()).isEqualTo("mini-3");
            assertThat(lost)
                    .hasMessageContaining("node mini-3 (tls://"
                            + machines.hosts().address(2) + ") is lost: it has been silent for 1.5 s");
            machines.hosts().signal(2, "CONT");
            cluster.load(ThreeMachines.FLOAT32);
            assertThat(cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY)
                            .tokens())
                    .hasSize(40);
            cluster.unload();
        } finally {
            machines.hosts().signal(2, "CONT");
        }
    }

    @Test
    void aCableThatIsPulledIsNamed() throws Exception {
        try (Cluster cluster = machines.connect()) {
            cluster.load(ThreeMachines.MODEL, ThreeMachines.FLOAT32);
            NodeLostException lost = broken(cluster, () -> machines.hosts().unplug(1));
            assertThat(lost.node()).as(lost.getMessage()).isEqualTo("mini-2");
            assertThat(lost)
                    .hasMessageContaining("node mini-2 (tls://"
                            + machines.hosts().address(1) + ") is lost: it has been silent for 1.5 s");
            machines.hosts().plug(1);
        } finally {
            machines.hosts().plug(1);
        }
        try (Cluster cluster = machines.connect()) {
            cluster.load(ThreeMachines.MODEL, ThreeMachines.FLOAT32.forced());
            assertThat(cluster.generate(ThreeMachines.PROMPT, ThreeMachines.FORTY)
                            .tokens())
                    .hasSize(40);
            cluster.unload();
        }
    }

    /** At the address of mini-3 a machine with another node's folder serves. */
    @Test
    void anotherNodeAtAnAddressIsNoticed() throws Exception {
        try (Cluster cluster = machines.connect()) {
            machines.hosts().signal(2, "KILL");
            machines.hosts().node(2).waitFor();
            machines.hosts().serve(2, machines.certificates().folder("mini-1"), ThreeMachines.MODELS);
            assertThat(cluster.nodes().get(2))
                    .hasToString(
                            "mini-3 (tls://" + machines.hosts().address(2) + ") cannot be used: no connection to tls://"
                                    + machines.hosts().address(2)
                                    + ": its certificate is for node mini-1, expected was node mini-3");
            assertThatThrownBy(machines::connect).hasMessageContaining("two nodes have the name mini-1");
        } finally {
            machines.hosts().signal(2, "KILL");
            machines.hosts().node(2).waitFor();
            machines.serve(2);
        }
    }
}
