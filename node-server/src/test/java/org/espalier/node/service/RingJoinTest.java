package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.Placement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
                for (CompletableFuture<Throwable> join : joins(ring, 0, epoch, 50)) {
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
