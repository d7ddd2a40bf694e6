package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Log-probabilities of a prompt's tokens over the ring, with a fake model whose every token depends exactly on all before it. */
class ScoreRingTest {

    private static final int CHUNK = 64; // rows of a step that are scored

    private static GenerateRequest.Builder request(int prompt, int maxTokens) {
        return FakeRing.request(prompt, maxTokens).setPromptLogprobs(true);
    }

    /** Of the second prompt token on; fails unless each comes once and in order. */
    private static List<Double> logprobs(List<GenerateReply> replies) {
        List<Double> found = new ArrayList<>();
        for (GenerateReply reply : replies) {
            if (reply.hasPromptLogprobs()) {
                assertThat(reply.getPromptLogprobs().getPosition()).isEqualTo(found.size() + 1);
                found.addAll(reply.getPromptLogprobs().getValuesList());
            }
        }
        return found;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void everyTokenCostsWhatTheLogitsBeforeItSay(int nodes) {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            GenerateRequest whole = request(200, 0).build();
            List<Double> found = logprobs(ring.generate(whole));
            assertThat(found).hasSize(199);
            for (int before : List.of(1, 2, 63, 64, 65, 66, 127, 128, 129, 192, 199)) {
                float[] logits = lastLogits(ring, whole.getPromptList().subList(0, before));
                double sum = 0;
                for (float logit : logits) {
                    sum += Math.exp(logit);
                }
                double expected = logits[whole.getPrompt(before)] - Math.log(sum);
                assertThat(found.get(before - 1))
                        .as("after " + before + " tokens")
                        .isCloseTo(expected, within(1e-9));
            }
        }
    }

    private static float[] lastLogits(FakeRing ring, List<Integer> prompt) {
        GenerateRequest request = FakeRing.request(0, 0)
                .addAllPrompt(prompt)
                .setPromptLogits(true)
                .build();
        GenerateReply reply = ring.generate(request).stream()
                .filter(GenerateReply::hasPromptLogits)
                .findFirst()
                .orElseThrow();
        float[] logits = new float[FakeProgram.VOCABULARY];
        reply.getPromptLogits()
                .getFloat32()
                .asReadOnlyByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(logits);
        return logits;
    }

    @Test
    void threeNodesScoreAsOneDoes() {
        try (FakeRing one = FakeRing.serving(1);
                FakeRing three = FakeRing.serving(3)) {
            for (int tokens : List.of(1, 2, 3, 62, 63, 64, 65, 66, 127, 128, 129, 257)) {
                List<Double> expected = logprobs(one.generate(request(tokens, 0).build()));
                assertThat(expected).hasSize(tokens - 1);
                assertThat(logprobs(three.generate(request(tokens, 0).build()))).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void anAnswerIsTheSameWithAScore(int nodes) {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<GenerateReply> scored = ring.generate(
                    request(130, 12).setRouting(true).setPromptLogits(true).build());
            List<GenerateReply> plain = ring.generate(FakeRing.request(130, 12)
                    .setRouting(true)
                    .setPromptLogits(true)
                    .build());
            assertThat(FakeRing.tokens(scored))
                    .isEqualTo(FakeRing.tokens(plain))
                    .hasSize(12);
            assertThat(scored.stream().filter(GenerateReply::hasPromptLogits))
                    .containsExactlyElementsOf(plain.stream()
                            .filter(GenerateReply::hasPromptLogits)
                            .toList());
            assertThat(logprobs(scored))
                    .isEqualTo(logprobs(ring.generate(request(130, 0).build())))
                    .hasSize(129);
            assertThat(logprobs(plain)).isEmpty();
        }
    }

    /** Others take part of a step's room, so that texts are cut into chunks anywhere. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void manyAtOnceAreScoredAsEachAlone(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<Integer> lengths = List.of(5, 300, 77, 64, 1, 131, 200, 2, 99);
            List<List<Double>> alone = new ArrayList<>();
            for (int length : lengths) {
                alone.add(logprobs(ring.generate(request(length, 0).build())));
            }
            FakeProgram last = ring.loaders.get(nodes - 1).loaded.get(0);
            last.greatestStep.set(0);
            last.rowMillis = 1; // until all have come
            List<Heard> heard = new ArrayList<>();
            for (int length : lengths) {
                heard.add(new Heard());
                head(ring)
                        .generate(
                                request(length, 0).build(),
                                "client",
                                heard.get(heard.size() - 1).replies());
            }
            for (int i = 0; i < lengths.size(); i++) {
                assertThat(logprobs(heard.get(i).all()))
                        .as("of " + lengths.get(i))
                        .isEqualTo(alone.get(i));
            }
            assertThat(last.greatestStep.get()).isBetween(2, CHUNK + 1); // one prompt has nothing to score
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void whatACutComputesAgainIsSaidOnce(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<Double> expected = logprobs(ring.generate(request(150, 0).build()));
            CompletableFuture<Long> session = new CompletableFuture<>();
            List<CompletableFuture<Void>> cuts = new ArrayList<>();
            Heard heard = new Heard()
                    .at(2, () -> cuts.add(head(ring).truncate(session.join(), 100)))
                    .at(6, () -> cuts.add(head(ring).truncate(session.join(), 0)));
            session.complete(head(ring).generate(request(150, 10).build(), "client", heard.replies()));
            assertThat(logprobs(heard.all())).isEqualTo(expected);
            for (CompletableFuture<Void> cut : cuts) {
                cut.get(20, TimeUnit.SECONDS);
            }
            assertThat(cuts).hasSize(2);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void cancelAndDeadlineEndTheWork(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            FakeProgram last = ring.loaders.get(nodes - 1).loaded.get(0);
            last.rowMillis = 10;
            Context.CancellableContext context = Context.current().withCancellation();
            Iterator<GenerateReply> replies =
                    context.call(() -> ring.node(0).generate(request(1900, 0).build()));
            while (!replies.next().hasPromptLogprobs()) {}
            context.cancel(null);
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);

            assertThatThrownBy(() -> ring.node(0)
                            .withDeadlineAfter(300, TimeUnit.MILLISECONDS)
                            .generate(request(1900, 0).build())
                            .forEachRemaining(reply -> {}))
                    .isInstanceOfSatisfying(
                            StatusRuntimeException.class,
                            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
            last.rowMillis = 0;
            assertThat(logprobs(ring.generate(request(70, 0).build()))).hasSize(69);
        }
    }

    @Test
    void aTextThatDoesNotFitIsRefusedWithBothNumbers() {
        try (FakeRing ring = FakeRing.serving(2)) {
            assertThat(logprobs(ring.generate(request(FakeLoader.CONTEXT, 0).build())))
                    .hasSize(FakeLoader.CONTEXT - 1);
            assertThatThrownBy(() -> ring.generate(request(2001, 0).build()))
                    .hasMessageContaining("the prompt has 2001 tokens, but the model's context holds 2000");
        }
    }

    @Test
    void aDefectOfTheModelIsNoScore() {
        try (FakeRing ring = FakeRing.serving(2)) {
            ring.loaders.get(1).loaded.get(0).failAtLength = 90;
            assertThatThrownBy(() -> ring.generate(request(120, 0).build())).hasMessageContaining("op 3 went wrong");
            assertThat(logprobs(ring.generate(request(80, 0).build()))).hasSize(79);
        }
    }

    private static RingMember head(FakeRing ring) {
        return ring.nodes.get(0).member(FakeRing.ID, 1);
    }
}
