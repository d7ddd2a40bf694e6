package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.v1.FinishReason;
import org.espalier.v1.Finished;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Routing;
import org.espalier.v1.Sampling;
import org.espalier.v1.SamplingValue;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same request gives the same tokens, logits and routing on every number of nodes, alone or beside others. */
class RingTest {

    private static List<GenerateReply> expected;
    private static List<GenerateReply> expectedLong;

    private static final GenerateRequest REQUEST =
            FakeRing.request(5, 12).setRouting(true).setPromptLogits(true).build();
    private static final GenerateRequest LONG =
            FakeRing.request(600, 7).setRouting(true).build();

    @BeforeAll
    static void alone() {
        try (FakeRing ring = FakeRing.serving(1)) {
            expected = ring.generate(REQUEST);
            expectedLong = ring.generate(LONG);
        }
        assertThat(FakeRing.tokens(expected)).hasSize(12);
        assertThat(FakeRing.tokens(expected).stream().distinct().count()).isGreaterThan(4);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void anyNumberOfNodesGivesTheSame(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<GenerateReply> replies = ring.generate(REQUEST);
            assertThat(FakeRing.tokens(replies)).isEqualTo(FakeRing.tokens(expected));
            assertThat(logits(replies)).isEqualTo(logits(expected));
            assertThat(routing(replies)).isEqualTo(routing(expected));
            Finished finished = replies.get(replies.size() - 1).getFinished();
            assertThat(finished.getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
            assertThat(finished.getPromptTokens()).isEqualTo(5);
            assertThat(finished.getNewTokens()).isEqualTo(12);
            assertThat(finished.getFirstTokenMicros()).isPositive();
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
            for (FakeLoader loader : ring.loaders) {
                assertThat(loader.loaded.get(0).owners)
                        .as("one thread owns the program")
                        .hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aPromptLongerThanAChunkTakesSeveralSteps(int nodes) {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<GenerateReply> replies = ring.generate(LONG);
            assertThat(FakeRing.tokens(replies)).isEqualTo(FakeRing.tokens(expectedLong));
            assertThat(routing(replies)).isEqualTo(routing(expectedLong)).hasSize(606);
            assertThat(replies.stream()
                            .filter(GenerateReply::hasPrefill)
                            .map(reply -> reply.getPrefill().getDone()))
                    .containsExactly(512, 600);
            assertThat(ring.loaders.get(0).loaded.get(0).greatestStep).hasValue(512);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void concurrentGenerationsEqualEachAlone(int nodes) {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            ring.loaders.get(nodes - 1).loaded.get(0).rowMillis = 2;
            List<CompletableFuture<List<GenerateReply>>> running = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                GenerateRequest request = i % 3 == 2 ? LONG : REQUEST;
                running.add(CompletableFuture.supplyAsync(() -> ring.generate(request)));
            }
            for (int i = 0; i < 6; i++) {
                List<GenerateReply> alone = i % 3 == 2 ? expectedLong : expected;
                assertThat(FakeRing.tokens(running.get(i).join())).isEqualTo(FakeRing.tokens(alone));
                assertThat(routing(running.get(i).join())).isEqualTo(routing(alone));
            }
        }
    }

    @Test
    void endsAtAStopToken() {
        List<Integer> tokens = FakeRing.tokens(expected);
        int stop = tokens.get(3);
        int at = tokens.indexOf(stop);
        try (FakeRing ring = FakeRing.serving(2)) {
            List<GenerateReply> replies =
                    ring.generate(REQUEST.toBuilder().addStopTokens(stop).build());
            assertThat(FakeRing.tokens(replies)).isEqualTo(tokens.subList(0, at + 1));
            assertThat(replies.get(replies.size() - 1).getFinished().getReason())
                    .isEqualTo(FinishReason.FINISH_REASON_EOS);
        }
    }

    @Test
    void endsAtAStopStringThatSpansTokens() {
        List<Integer> tokens = FakeRing.tokens(expected);
        String stop = "" + (char) ('A' + tokens.get(4)) + (char) ('A' + tokens.get(5)) + (char) ('A' + tokens.get(6));
        try (FakeRing ring = FakeRing.serving(2)) {
            List<GenerateReply> replies = ring.generate(REQUEST.toBuilder()
                    .addStopStrings("\u0001never")
                    .addStopStrings(stop)
                    .build());
            assertThat(FakeRing.tokens(replies)).isEqualTo(tokens.subList(0, 7));
            Finished finished = replies.get(replies.size() - 1).getFinished();
            assertThat(finished.getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
            assertThat(finished.getStopString()).isEqualTo(stop);
        }
    }

    @Test
    void noTokenAtAllStillGivesThePromptsLogits() throws Exception {
        try (FakeRing ring = FakeRing.serving(2)) {
            List<GenerateReply> replies =
                    ring.generate(REQUEST.toBuilder().setMaxTokens(0).build());
            assertThat(FakeRing.tokens(replies)).isEmpty();
            assertThat(logits(replies)).isEqualTo(logits(expected));
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    @Test
    void theContextEndsAGeneration() {
        try (FakeRing ring = FakeRing.serving(1)) {
            assertThat(FakeRing.tokens(ring.generate(
                            FakeRing.request(FakeLoader.CONTEXT - 3, 100).build())))
                    .hasSize(3);
            assertThatThrownBy(() -> ring.generate(
                            FakeRing.request(FakeLoader.CONTEXT, 1).build()))
                    .hasMessageContaining("the prompt has 2000 tokens, but the model's context holds 2000");
            assertThatThrownBy(() -> ring.generate(FakeRing.request(0, 1).build()))
                    .hasMessageContaining("the prompt is empty");
            assertThatThrownBy(() ->
                            ring.generate(FakeRing.request(3, 1).addPrompt(61).build()))
                    .hasMessageContaining("the prompt has token 61, but the vocabulary is 0 to 60");
            for (List<Integer> lengths : List.of(
                    List.of(0), List.of(2, 2), List.of(3, 1), List.of(-1), List.of(1, 2, 3, 4, 5, 6, 7, 8, 9))) {
                assertThatThrownBy(() -> ring.generate(
                                FakeRing.request(3, 1).addAllSnapshots(lengths).build()))
                        .hasMessageContaining(
                                "snapshots are asked for at " + lengths + ": expected at most 8 ascending lengths");
            }
        }
    }

    @Test
    void generationsBeyondTheLimitAreRefusedUntilOneEnds() throws Exception {
        try (FakeRing ring = FakeRing.serving(1)) {
            ring.loaders.get(0).loaded.get(0).rowMillis = 60_000;
            RingMember head = ring.nodes.get(0).member(FakeRing.ID, 1);
            long first = head.generate(REQUEST, "client", new Heard().replies());
            for (int i = 1; i < 512; i++) {
                head.generate(REQUEST, "client", new Heard().replies());
            }
            Heard refused = new Heard();
            head.generate(REQUEST, "client", refused.replies());
            assertThatThrownBy(refused::all)
                    .hasMessageContaining("node n0 has 128 generations running and 384 waiting");
            head.cancel(first);
            Heard accepted = new Heard();
            head.generate(REQUEST, "client", accepted.replies());
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 512);
        }
    }

    @Test
    void hostileSamplingOptionsAreRefusedByTheNode() throws Exception {
        try (FakeRing ring = FakeRing.serving(2)) {
            assertThatThrownBy(() -> ring.generate(sampling("top-p", -1)))
                    .hasMessageContaining("INVALID_ARGUMENT")
                    .hasMessageContaining("top-p is -1.0: expected above 0 and at most 1");
            assertThatThrownBy(() -> ring.generate(sampling("temperature", Float.NaN)))
                    .hasMessageContaining("temperature is NaN: expected 0 or more");
            assertThatThrownBy(() -> ring.generate(sampling("banana", 1)))
                    .hasMessageContaining("there is no sampling option 'banana': expected one of temperature");
            assertThat(ring.sessions()).isZero();
        }
    }

    private static GenerateRequest sampling(String option, float value) {
        return REQUEST.toBuilder()
                .setSampling(Sampling.newBuilder()
                        .putValues(
                                option,
                                SamplingValue.newBuilder().setFraction(value).build()))
                .build();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aFailedStepFailsItsSessionsAndNothingElse(int where) throws Exception {
        try (FakeRing ring = FakeRing.serving(3)) {
            FakeProgram program = ring.loaders.get(where).loaded.get(0);
            program.failAtLength = 8;
            assertThatThrownBy(() -> ring.generate(REQUEST))
                    .hasMessageContaining("node n" + where)
                    .hasMessageContaining("could not run step 5: op 3 went wrong"); // tried again, alone
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
            program.failAtLength = Integer.MAX_VALUE;
            assertThat(FakeRing.tokens(ring.generate(REQUEST))).isEqualTo(FakeRing.tokens(expected));
        }
    }

    private static ByteString logits(List<GenerateReply> replies) {
        return replies.stream()
                .filter(GenerateReply::hasPromptLogits)
                .findFirst()
                .orElseThrow()
                .getPromptLogits()
                .getFloat32();
    }

    /** The decisions of each position, however they were cut into replies, in words. */
    private static List<String> routing(List<GenerateReply> replies) {
        List<String> positions = new ArrayList<>();
        for (GenerateReply reply : replies) {
            if (!reply.hasRouting()) {
                continue;
            }
            Routing routing = reply.getRouting();
            assertThat(routing.getPosition()).isEqualTo(positions.size());
            assertThat(routing.getLayersList()).containsExactly(1, 2, 3, 4, 5);
            int width = routing.getWidth();
            for (int row = 0; row < routing.getRows(); row++) {
                StringBuilder words = new StringBuilder();
                for (int layer = 0; layer < routing.getLayersCount(); layer++) {
                    int from = (layer * routing.getRows() + row) * width;
                    words.append(hex(routing.getExperts(), from * 2, (from + width) * 2))
                            .append(hex(routing.getWeights(), from * 4, (from + width) * 4));
                }
                positions.add(words.toString());
            }
        }
        return positions;
    }

    private static String hex(ByteString bytes, int from, int end) {
        return HexFormat.of().formatHex(bytes.substring(from, end).toByteArray());
    }
}
