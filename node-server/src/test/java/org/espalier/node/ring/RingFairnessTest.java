package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.espalier.node.service.FakeEngine;
import org.espalier.v1.GenerateRequest;
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
}
