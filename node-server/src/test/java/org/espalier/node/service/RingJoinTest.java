package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.common.util.concurrent.ListenableFuture;
import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.espalier.v1.JoinReply;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** However often a ring is joined, each node dials the next once. */
@Timeout(60)
class RingJoinTest {

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void end() {
        threads.shutdownNow();
    }

    private List<CompletableFuture<Throwable>> joins(FakeRing ring, int node, long epoch, int times) {
        List<CompletableFuture<Throwable>> joins = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            joins.add(CompletableFuture.supplyAsync(
                    () -> catchThrowable(() -> ring.node(node)
                            .join(JoinRequest.newBuilder()
                                    .setDeployment(FakeRing.ID)
                                    .setEpoch(epoch)
                                    .build())),
                    threads));
        }
        return joins;
    }

    @Test
    void manyJoinsAtOnceMakeOneRing() throws Exception {
        try (FakeRing ring = new FakeRing(2)) {
            ring.load(0, 1, "fake", ring.even(2));
            ring.load(1, 1, "fake", ring.even(2));
            List<CompletableFuture<Throwable>> joins = joins(ring, 0, 1, 16);
            joins.addAll(joins(ring, 1, 1, 16));
            for (CompletableFuture<Throwable> join : joins) {
                assertThat(join.get(20, TimeUnit.SECONDS)).isNull();
            }
            assertThat(FakeRing.tokens(ring.generate(FakeRing.request(3, 5).build())))
                    .hasSize(5);
        }
    }

    @Test
    void aPeerThatSaysNothingKeepsNoConnection() throws Exception {
        List<Socket> connections = new CopyOnWriteArrayList<>();
        try (ServerSocket silent = new ServerSocket(0, 100, InetAddress.getByName("127.0.0.1"));
                FakeRing ring = new FakeRing(1)) {
            threads.execute(() -> accept(silent, connections));
            for (int epoch = 1; epoch <= 3; epoch++) {
                int before = connections.size();
                ring.load(0, epoch, "fake", withSilent(ring, silent.getLocalPort()));
                for (CompletableFuture<Throwable> join : joins(ring, 0, epoch, 10)) {
                    assertThat(join.get(20, TimeUnit.SECONDS))
                            .hasMessageContaining("node silent (127.0.0.1:" + silent.getLocalPort()
                                    + ") is lost: it has been silent for 1.5 s");
                }
                assertThat(connections).hasSize(before + 1);
            }
            for (Socket connection : connections) {
                assertThat(threads.submit(() -> untilClosed(connection)).get(10, TimeUnit.SECONDS))
                        .isTrue();
            }
            FakeRing.eventually(
                    Duration.ofSeconds(5),
                    () -> ring.describe(0).getDeployments(0).getSessions() == 0);
        }
    }

    /** Those that wait have a thread of the node's each, as many as it lets a connection have, and each ring one connection. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aThousandJoinsAtOnceLeaveNoDescriptorAndNoThread() throws Exception {
        List<Socket> connections = new CopyOnWriteArrayList<>();
        try (ServerSocket silent = new ServerSocket(0, 100, InetAddress.getByName("127.0.0.1"));
                FakeRing ring = new FakeRing(1)) {
            threads.execute(() -> accept(silent, connections));
            String lost = "node silent (127.0.0.1:" + silent.getLocalPort() + ") is lost: it has been silent for 1.5 s";
            for (int epoch = 1; epoch <= 2; epoch++) { // starts the threads that a node has once
                ring.load(0, epoch, "fake", withSilent(ring, silent.getLocalPort()));
                assertThat(answers(ring, epoch, 1)).allMatch(answer -> answer.contains(lost));
            }
            FakeRing.eventually(Duration.ofSeconds(10), () -> closed(connections));
            long descriptors = descriptors();
            Map<String, Long> before = lasting();

            ring.load(0, 3, "fake", withSilent(ring, silent.getLocalPort()));
            List<String> answers = answers(ring, 3, 1000);
            assertThat(answers).hasSize(1000).allMatch(answer -> answer.contains(lost) || answer.contains("try again"));
            assertThat(answers).anyMatch(answer -> answer.contains(lost));
            assertThat(connections).hasSize(3);
            FakeRing.eventually(Duration.ofSeconds(10), () -> closed(connections));
            FakeRing.eventually(Duration.ofSeconds(10), () -> descriptors() <= descriptors);
            assertThat(lasting()).isEqualTo(before);
        }
    }

    /** What that many Joins at once are answered. */
    private static List<String> answers(FakeRing ring, long epoch, int times) throws Exception {
        JoinRequest request = JoinRequest.newBuilder()
                .setDeployment(FakeRing.ID)
                .setEpoch(epoch)
                .build();
        List<ListenableFuture<JoinReply>> joins = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            joins.add(NodeGrpc.newFutureStub(ring.channels.get(0)).join(request));
        }
        List<String> answers = new ArrayList<>();
        for (ListenableFuture<JoinReply> join : joins) {
            answers.add(String.valueOf(catchThrowable(() -> join.get(20, TimeUnit.SECONDS))));
        }
        return answers;
    }

    private static boolean closed(List<Socket> connections) {
        return connections.stream().allMatch(connection -> {
            try {
                return untilClosed(connection);
            } catch (IOException e) {
                return connection.isClosed();
            }
        });
    }

    private static long descriptors() {
        return ((UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getOpenFileDescriptorCount();
    }

    /** How many threads of a node there are, by name, but for those of requests, which end by themselves after a minute. */
    private static Map<String, Long> lasting() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("espalier-") && !name.startsWith("espalier-request"))
                .collect(Collectors.groupingBy(name -> name, Collectors.counting()));
    }

    private static Placement withSilent(FakeRing ring, int port) {
        return Placement.newBuilder()
                .setStrategy("pipeline")
                .setLayers(FakeRing.LAYERS)
                .addShards(ring.shard(0, 0, 3))
                .addShards(ring.shard(0, 3, FakeRing.LAYERS).toBuilder()
                        .setNode("silent")
                        .setAddress("127.0.0.1:" + port))
                .build();
    }

    private static void accept(ServerSocket server, List<Socket> connections) {
        try {
            while (true) {
                connections.add(server.accept());
            }
        } catch (IOException e) {
            // the test is over
        }
    }

    private static boolean untilClosed(Socket connection) throws IOException {
        try (connection) {
            while (connection.getInputStream().read(new byte[1000]) >= 0) {
                // what it was sent meanwhile
            }
            return true;
        } catch (SocketException reset) {
            return true;
        }
    }
}
