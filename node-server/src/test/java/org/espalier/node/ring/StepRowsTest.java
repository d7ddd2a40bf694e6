package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.node.service.FakeEngine;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Hello;
import org.junit.jupiter.api.Test;

/** A ring's steps have as many rows as the node with the least room takes. */
class StepRowsTest {

    private static final int PROMPT = 1000;

    private static GenerateRequest request() {
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setDeployment("d")
                .setEpoch(1)
                .setClient("a")
                .setMaxTokens(1);
        IntStream.range(0, PROMPT).forEach(i -> request.addPrompt(i % 50));
        return request.build();
    }

    /** Steps that each node ran for the prompt, and the token that follows it. */
    private static List<Integer> steps(FakeEngine engine, List<Integer> tokens, int... rows) {
        SimulatedRing ring = new SimulatedRing(1, rows.length, engine);
        for (int i = 0; i < rows.length; i++) {
            ring.nodes().get(i).stepRows = rows[i];
        }
        ring.loadAgain();
        ring.run(1);
        SimulatedGeneration generation = ring.generate(request());
        ring.runUntilOver(generation, World.seconds(600));
        assertThat(generation.failure()).isEmpty();
        tokens.addAll(generation.tokens);
        List<Integer> steps = ring.nodes().stream()
                .map(node -> ring.held(node).orElseThrow().program.steps())
                .toList();
        ring.close();
        return steps;
    }

    @Test
    void thePromptIsCutByTheNodeWithTheLeastRoom() {
        try (FakeEngine engine = new FakeEngine()) {
            engine.thread().call(() -> {
                List<Integer> tokens = new ArrayList<>();
                assertThat(steps(engine, tokens, 512)).containsExactly(2);
                assertThat(steps(engine, tokens, 512, 512, 512)).containsExactly(2, 2, 2);
                assertThat(steps(engine, tokens, 256, 512, 512)).containsExactly(4, 4, 4);
                assertThat(steps(engine, tokens, 512, 256, 512)).containsExactly(4, 4, 4);
                assertThat(steps(engine, tokens, 512, 512, 256)).containsExactly(4, 4, 4);
                assertThat(steps(engine, tokens, 512, 0, 512))
                        .as("one that does not say")
                        .containsExactly(4, 4, 4);
                assertThat(tokens).hasSize(6).containsOnly(tokens.get(0));
                return null;
            });
        }
    }

    /** It said that it had room, measured before others took it. */
    @Test
    void whereANodeHasNoMemoryForSoManyTheStepsBecomeShorter() {
        try (FakeEngine engine = new FakeEngine()) {
            engine.thread().call(() -> {
                List<Integer> tokens = new ArrayList<>();
                assertThat(steps(engine, tokens, 512, 512, 512)).containsExactly(2, 2, 2);
                SimulatedRing ring = new SimulatedRing(1, 3, engine);
                ring.loadAgain();
                ring.run(1);
                ring.held(ring.nodes().get(1)).orElseThrow().program.mostRows = 300;
                SimulatedGeneration generation = ring.generate(request());
                ring.runUntilOver(generation, World.seconds(600));
                assertThat(generation.failure()).isEmpty();
                assertThat(generation.tokens).isEqualTo(tokens);
                assertThat(ring.nodes().stream()
                                .map(node ->
                                        ring.held(node).orElseThrow().program.steps()))
                        .as("one more, as far as it came")
                        .containsExactly(5, 5, 4);
                ring.close();
                return null;
            });
        }
    }

    @Test
    void aNumberThatNoNodeHasIsRefused() {
        try (FakeEngine engine = new FakeEngine()) {
            engine.thread().call(() -> {
                SimulatedRing ring = new SimulatedRing(1, 2, engine);
                SimulatedShard second = ring.held(ring.nodes().get(1)).orElseThrow();
                Arithmetic arithmetic = Arithmetic.of(second.shard);
                Hello.Builder hello = Hello.newBuilder()
                        .setNode("n0")
                        .setDigest(second.place.digest())
                        .setStepRows(-1);
                arithmetic.write(hello);
                assertThatThrownBy(() -> new HelloCheck(second.place, arithmetic).check(hello.build(), 1))
                        .hasMessageContaining("node n0 (n0:1) says that it has room for steps of -1 rows: expected 0");
                ring.close();
                return null;
            });
        }
    }

    /** With the widest activations that there are, and no more decisions than are accepted. */
    @Test
    void aStepOfTheMostRowsFitsIntoAFrame() {
        long activations = (long) StepRows.MOST * 16_384 * Float.BYTES;
        long routing = (long) RoutingFrames.MOST_DECISIONS * (Short.BYTES + Float.BYTES);
        long head = StepRows.MOST * 100L; // tokens and the words of a message
        assertThat(activations + routing + head).isLessThan(RingMember.MAX_MESSAGE_BYTES);
    }
}
