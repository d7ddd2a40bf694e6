package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.node.service.FakeEngine;
import org.espalier.v1.GenerateRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients share a ring, in simulated time: each row takes 10 ms on each node, as on an engine that gains nothing by larger steps. */
class RingFairnessTest {

    private static final long ROW = World.seconds(0.01);

    private static GenerateRequest request(String client, int maxTokens) {
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setDeployment("d")
                .setEpoch(1)
                .setClient(client)
                .setMaxTokens(maxTokens);
        IntStream.range(0, 6).forEach(request::addPrompt);
        return request.build();
    }

    private static GenerateRequest longPrompt(String client) {
        GenerateRequest.Builder request = request(client, 10).toBuilder();
        IntStream.range(0, 1000).forEach(i -> request.addPrompt(i % 50));
        return request.build();
    }

    private static SimulatedRing ring(int nodes, FakeEngine engine) {
        SimulatedRing ring = new SimulatedRing(1, nodes, engine);
        ring.setRowNanos(ROW);
        ring.join();
        return ring;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void besideThreeHundredGenerationsOfAnotherClientFortyTokensTakeAtMostSixTimesAsLong(int nodes) {
        try (FakeEngine engine = new FakeEngine()) {
            engine.thread().call(() -> {
                SimulatedRing quiet = ring(nodes, engine);
                SimulatedGeneration alone = quiet.generate(request("b", 40));
                long before = quiet.runUntilOver(alone, World.seconds(600));

                SimulatedRing ring = ring(nodes, engine);
                for (int i = 0; i < 300; i++) {
                    ring.generate(request("a", 1000));
                }
                ring.run(20);
                SimulatedGeneration beside = ring.generate(request("b", 40));
                long taken = ring.runUntilOver(beside, World.seconds(6000));

                assertThat(beside.tokens).hasSize(40).isEqualTo(alone.tokens);
                // the steps in flight as it came, of the 128 generations that run; from then on steps are shared
                long under = nodes * ((128 + nodes - 1) / nodes) * ROW;
                assertThat(taken).isLessThanOrEqualTo(6 * before + under);
                return null;
            });
        }
    }

    /** Their chunks are made small enough for that. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void besideLongPromptsOfAnotherClientTooFortyTokensTakeAtMostSixTimesAsLong(int nodes) {
        try (FakeEngine engine = new FakeEngine()) {
            engine.thread().call(() -> {
                SimulatedRing quiet = ring(nodes, engine);
                SimulatedGeneration alone = quiet.generate(request("b", 40));
                long before = quiet.runUntilOver(alone, World.seconds(600));

                SimulatedRing ring = ring(nodes, engine);
                for (int i = 0; i < 30; i++) {
                    ring.generate(longPrompt("a"));
                }
                ring.run(20);
                SimulatedGeneration beside = ring.generate(request("b", 40));
                long taken = ring.runUntilOver(beside, World.seconds(6000));

                assertThat(beside.tokens).hasSize(40).isEqualTo(alone.tokens);
                // the steps in flight as it came, whole chunks; from then on steps are shared
                long under = (long) nodes * StepRows.MOST * ROW;
                assertThat(taken).isLessThanOrEqualTo(6 * before + under);
                return null;
            });
        }
    }

    /** Of 110 rows one wants 100, and another client always has some of 36 waiting. */
    @Test
    void oneThatDoesNotFitBesideOthersIsNotOvertakenForEver() {
        try (FakeEngine engine = new FakeEngine()) {
            engine.thread().call(() -> {
                SimulatedRing ring = new SimulatedRing(1, 1, engine);
                ring.head().likeness = program -> program.kvRows = 110;
                ring.loadAgain();
                ring.run(1);
                List<SimulatedGeneration> small = new ArrayList<>();
                for (int i = 0; i < 60; i++) {
                    small.add(ring.generate(request("b", 30)));
                }
                SimulatedGeneration large = ring.generate(request("a", 94));
                ring.runUntilOver(large, World.seconds(600));

                assertThat(large.failure()).isEmpty();
                assertThat(large.tokens).hasSize(94);
                assertThat(small.stream().filter(SimulatedGeneration::isOver)).hasSizeBetween(8, 15);
                return null;
            });
        }
    }

    /** Of two deployments on one node: a first step of 100 s, which may read 40 GB, is not held against the other's step behind it. */
    @Test
    void aSlowStepOfAnotherDeploymentIsNoFault() {
        try (FakeEngine engine = new FakeEngine()) {
            engine.thread().call(() -> {
                SimulatedNetwork network = new SimulatedNetwork(1, 1, engine);
                SimulatedRing quick = new SimulatedRing(network, "d", List.of("n0"), 1);
                quick.head().likeness = program -> program.layerBytes = 5_000_000_000L;
                SimulatedRing large = new SimulatedRing(network, "e", List.of("n0"), 1001);
                network.run(1);
                quick.join();
                large.join();
                SimulatedGeneration warm = quick.generate(request("a", 40));
                quick.runUntilOver(warm, World.seconds(10));

                quick.head().delay = World.seconds(100);
                SimulatedGeneration slow = large.generate(request("a", 40));
                network.run(0.1);
                SimulatedGeneration behind = quick.generate(request("a", 40));
                quick.runUntilOver(behind, World.seconds(200));
                large.runUntilOver(slow, World.seconds(200));

                assertThat(behind.failure()).isEmpty();
                assertThat(behind.tokens).isEqualTo(warm.tokens);
                assertThat(slow.failure()).isEmpty();
                return null;
            });
        }
    }
}
