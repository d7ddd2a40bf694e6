package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Generation;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.NodeLostException;
import org.espalier.cluster.Prompt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes as real processes: they come up, agree with one node, die by kill -9 with their name in the error, and come up again. */
class RingProcessesIT {

    private static final String MODEL = Path.of(
                    "..", "models", "src", "test", "resources", "models", "deepseek_v3-tiny", "hf")
            .toString();
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision("float32");
    private static final Prompt PROMPT = Prompt.text("the oldest tree of the garden");

    /** From the moment that a head stops to the error of the command: 1.5 s of silence, and what it takes to notice. */
    private static final Duration GOAL = Duration.ofSeconds(2);

    /** For what else processes do. */
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void threeProcessesGiveWhatOneNodeGives() {
        GenerateOptions options = GenerateOptions.defaults().withMaxTokens(40).ignoringEos();
        Generation alone;
        try (Cluster cluster = LocalCluster.embedded()) {
            cluster.load(MODEL, FLOAT32);
            alone = cluster.generate(PROMPT, options);
        }
        try (LocalNodes nodes = LocalNodes.start(3);
                Cluster cluster = LocalCluster.of(nodes.addresses())) {
            assertThat(cluster.nodes()).extracting(NodeInfo::name).containsExactly("local-1", "local-2", "local-3");
            cluster.load(MODEL, FLOAT32);
            Generation three = cluster.generate(PROMPT, options);
            assertThat(three.tokens()).isEqualTo(alone.tokens());
            assertThat(three.text()).isEqualTo(alone.text());
            assertThat(nodes.dead()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aKilledNodeIsNamedInTime(int killed) throws Exception {
        try (LocalNodes nodes = LocalNodes.start(3);
                Cluster cluster = LocalCluster.of(nodes.addresses())) {
            cluster.load(MODEL, FLOAT32);
            CompletableFuture<Void> running = new CompletableFuture<>();
            CompletableFuture<NodeLostException> error = CompletableFuture.supplyAsync(() -> {
                try {
                    while (true) {
                        cluster.generate(
                                PROMPT,
                                GenerateOptions.defaults().withMaxTokens(200).ignoringEos(),
                                piece -> running.complete(null));
                    }
                } catch (NodeLostException e) {
                    return e;
                }
            });
            running.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            long begin = System.nanoTime();
            ProcessHandle.of(nodes.pids().get(killed)).orElseThrow().destroyForcibly(); // SIGKILL
            NodeLostException lost = error.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            System.err.printf("kill -9 to error: %.3f s%n", (System.nanoTime() - begin) / 1e9);
            assertThat(lost)
                    .hasMessageContaining("node local-" + (killed + 1) + " ("
                            + nodes.addresses().get(killed) + ") is lost: ")
                    .isInstanceOfSatisfying(
                            NodeLostException.class, e -> assertThat(e.node()).isEqualTo("local-" + (killed + 1)));
            while (nodes.dead().isEmpty() && System.nanoTime() - begin < LIMIT.toNanos()) {
                Thread.sleep(10); // the connections of a process end before it does
            }
            assertThat(nodes.dead()).containsExactly("local-" + (killed + 1));
            for (NodeInfo node : cluster.nodes()) {
                assertThat(node.reachable()).isEqualTo(!node.name().equals("local-" + (killed + 1)));
            }
            assertThatThrownBy(() -> cluster.generate(PROMPT, GenerateOptions.defaults()))
                    .isInstanceOf(NodeLostException.class);
        }
    }

    /** A process that is stopped keeps its connections: only missing heartbeats tell. */
    @Test
    void aNodeThatHangsIsLostToo() throws Exception {
        try (LocalNodes nodes = LocalNodes.start(2);
                Cluster cluster = LocalCluster.of(nodes.addresses())) {
            cluster.load(MODEL, FLOAT32);
            String hung = String.valueOf(nodes.pids().get(1));
            assertThat(new ProcessBuilder("kill", "-STOP", hung).start().waitFor())
                    .isZero();
            long begin = System.nanoTime();
            try {
                assertThatThrownBy(() -> cluster.generate(PROMPT, GenerateOptions.defaults()))
                        .isInstanceOf(NodeLostException.class)
                        .hasMessageContaining(
                                "node local-2 (" + nodes.addresses().get(1)
                                        + ") is lost: it has been silent for 1.5 s; try again in some seconds");
                Duration taken = Duration.ofNanos(System.nanoTime() - begin);
                System.err.printf("kill -STOP to error: %.3f s%n", taken.toMillis() / 1e3);
                assertThat(taken).isLessThan(LIMIT);
            } finally {
                new ProcessBuilder("kill", "-KILL", hung).start().waitFor();
            }
        }
    }

    /** The client's own stream to the head tells, and what hangs is not waited for at the end. */
    @Test
    void aHeadThatHangsIsLostToo() throws Exception {
        long begin;
        Duration toError;
        try (LocalNodes nodes = LocalNodes.start(2);
                Cluster cluster = LocalCluster.of(nodes.addresses())) {
            cluster.load(MODEL, FLOAT32);
            assertThat(new ProcessBuilder(
                                    "kill", "-STOP", String.valueOf(nodes.pids().get(0)))
                            .start()
                            .waitFor())
                    .isZero();
            begin = System.nanoTime();
            assertThatThrownBy(() -> cluster.generate(PROMPT, GenerateOptions.defaults()))
                    .isInstanceOf(NodeLostException.class)
                    .hasMessageContaining("node local-1 (" + nodes.addresses().get(0)
                            + ") is lost: it has been silent for 1.5 s; try again in some seconds");
            toError = Duration.ofNanos(System.nanoTime() - begin);
            System.err.printf("kill -STOP of the head to error: %.3f s%n", toError.toMillis() / 1e3);
        }
        Duration taken = Duration.ofNanos(System.nanoTime() - begin);
        System.err.printf("kill -STOP of the head to the end of its processes: %.3f s%n", taken.toMillis() / 1e3);
        assertThat(toError).isLessThan(GOAL);
        assertThat(taken).isLessThan(LIMIT);
    }

    @Test
    void closingEndsTheProcessesAndNewOnesComeUp() {
        List<ProcessHandle> processes;
        try (LocalNodes nodes = LocalNodes.start(2)) {
            processes = nodes.pids().stream()
                    .map(pid -> ProcessHandle.of(pid).orElseThrow())
                    .toList();
            processes.get(0).destroyForcibly();
        }
        assertThat(processes).noneMatch(ProcessHandle::isAlive);
        try (LocalNodes nodes = LocalNodes.start(2);
                Cluster cluster = LocalCluster.of(nodes.addresses())) {
            cluster.load(MODEL, FLOAT32);
            assertThat(cluster.generate(
                                    PROMPT,
                                    GenerateOptions.defaults().withMaxTokens(3).ignoringEos())
                            .tokens())
                    .hasSize(3);
        }
    }

    @Test
    void refusesANumberOfNodesThatMakesNoSense() {
        assertThatThrownBy(() -> LocalNodes.start(0))
                .isInstanceOf(EspalierException.class)
                .hasMessage("cannot start 0 local nodes: choose 1 to 64");
    }
}
