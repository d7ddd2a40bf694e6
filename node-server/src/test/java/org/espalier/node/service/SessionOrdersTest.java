package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingMessage;
import org.espalier.sampling.SamplingOption;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Cutting and forking sessions of running generations. A fake model's tokens depend on every row before them, and its sampler's on every
 * token, so that equal tokens mean that no node has a row too many or too few.
 */
class SessionOrdersTest {

    /** Draws depend on the seed and the position, penalties on all tokens so far. */
    private static final Sampling SAMPLING = Sampling.GREEDY
            .with(SamplingOption.TEMPERATURE, 1.5)
            .with(SamplingOption.REPETITION_PENALTY, 1.3)
            .with(SamplingOption.SEED, 11);

    private static GenerateRequest.Builder request(int prompt, int maxTokens) {
        return FakeRing.request(prompt, maxTokens).setRouting(true).setSampling(SamplingMessage.of(SAMPLING));
    }

    private static RingMember head(FakeRing ring) {
        return ring.nodes.get(0).member(FakeRing.ID, 1);
    }

    private static void slow(FakeRing ring, int millis) {
        ring.loaders.get(ring.nodes.size() - 1).loaded.get(0).rowMillis = millis;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aCutSessionContinuesAsIfNothingHadBeen(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<GenerateReply> expected = ring.generate(request(9, 60).build());
            List<CompletableFuture<Void>> cuts = new ArrayList<>();
            CompletableFuture<Long> session = new CompletableFuture<>();
            Heard heard = new Heard()
                    .at(5, () -> cuts.add(head(ring).truncate(session.join(), 9)))
                    .at(15, () -> cuts.add(head(ring).truncate(session.join(), 12)))
                    .at(25, () -> cuts.add(head(ring).truncate(session.join(), 4)))
                    .at(35, () -> cuts.add(head(ring).truncate(session.join(), 0)));
            session.complete(head(ring).generate(request(9, 60).build(), "client", heard.replies()));

            heard.all();
            for (CompletableFuture<Void> cut : cuts) {
                cut.get(20, TimeUnit.SECONDS);
            }
            assertThat(FakeRing.tokens(heard.all())).isEqualTo(FakeRing.tokens(expected));
            assertThat(routing(heard.all())).isEqualTo(routing(expected)).hasSize(68);
            for (FakeLoader loader : ring.loaders) {
                assertThat(loader.loaded.get(0).cuts).hasValue(4);
            }
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "3, 0", "3, 1"})
    void aRefusedCutChangesNothingOnAnyNode(int nodes, int windowed) throws Exception {
        try (FakeRing ring = new FakeRing(nodes)) {
            ring.loaders.get(windowed).window = 8;
            ring.place(1, "fake");
            List<Integer> expected =
                    FakeRing.tokens(ring.generate(request(100, 40).build()));
            CompletableFuture<Long> session = new CompletableFuture<>();
            List<CompletableFuture<Void>> cuts = new ArrayList<>();
            List<Integer> done = new ArrayList<>();
            Heard heard = new Heard()
                    .at(3, () -> cuts.add(head(ring).truncate(session.join(), 10)))
                    .at(10, () -> {
                        ring.loaders.forEach(
                                loader -> done.add(loader.loaded.get(0).cuts.get()));
                        cuts.add(head(ring).truncate(session.join(), 90)); // within what windows keep
                    });
            session.complete(head(ring).generate(request(100, 40).build(), "client", heard.replies()));

            heard.all();
            String name = "node n" + windowed + " (" + ring.nodes.get(windowed).address() + ")";
            assertThatThrownBy(() -> cuts.get(0).get(20, TimeUnit.SECONDS))
                    .hasMessageContaining(name + ": session " + session.join())
                    .hasMessageContaining("cannot be truncated to 10");
            assertThat(done).hasSize(nodes).containsOnly(0);
            cuts.get(1).get(20, TimeUnit.SECONDS);
            assertThat(FakeRing.tokens(heard.all())).isEqualTo(expected);
            for (FakeLoader loader : ring.loaders) {
                assertThat(loader.loaded.get(0).cuts).hasValue(1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aForkContinuesAsTheWholePromptWould(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<Integer> alone = FakeRing.tokens(ring.generate(request(9, 60).build()));
            GenerateRequest.Builder branch = request(9, 20)
                    .addAllPrompt(alone.subList(0, 10))
                    .addPrompt(60)
                    .addPrompt(3);
            branch.setSampling(SamplingMessage.of(SAMPLING.with(SamplingOption.SEED, 5)));
            Heard forked = new Heard();
            CompletableFuture<Long> session = new CompletableFuture<>();
            AtomicInteger rows = ring.loaders.get(0).loaded.get(0).rows;
            AtomicInteger before = new AtomicInteger();
            Heard source = new Heard().at(20, () -> {
                before.set(rows.get());
                head(ring).fork(session.join(), 19, branch.build(), "client", forked.replies());
            });
            session.complete(head(ring).generate(request(9, 60).build(), "client", source.replies()));
            source.all();
            forked.all();
            int computed = rows.get() - before.get();

            assertThat(computed).as("rows computed, none of the 19 copied ones").isLessThan(2 + 20 + 40);
            assertThat(source.tokens()).isEqualTo(alone);
            assertThat(forked.tokens()).isEqualTo(FakeRing.tokens(ring.generate(branch.build())));
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "3, 0", "3, 1"})
    void aRefusedForkEndsAloneOnAllNodes(int nodes, int windowed) throws Exception {
        try (FakeRing ring = new FakeRing(nodes)) {
            ring.loaders.get(windowed).window = 8;
            ring.place(1, "fake");
            List<Integer> expected =
                    FakeRing.tokens(ring.generate(request(100, 40).build()));
            Heard forked = new Heard();
            CompletableFuture<Long> session = new CompletableFuture<>();
            Heard source = new Heard()
                    .at(
                            3,
                            () -> head(ring)
                                    .fork(session.join(), 10, request(100, 5).build(), "client", forked.replies()));
            session.complete(head(ring).generate(request(100, 40).build(), "client", source.replies()));
            assertThatThrownBy(forked::all)
                    .hasMessageContaining("node n" + windowed + " ("
                            + ring.nodes.get(windowed).address() + ")")
                    .hasMessageContaining("cannot be truncated to 10");
            assertThat(forked.replies).isEmpty();
            assertThat(FakeRing.tokens(source.all())).isEqualTo(expected);
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void ordersThatMakeNoSenseAreRefusedAtTheHead(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            slow(ring, 1);
            CompletableFuture<Long> id = new CompletableFuture<>();
            List<CompletableFuture<Void>> cuts = new ArrayList<>();
            Heard source = new Heard().at(1, () -> {
                cuts.add(head(ring).truncate(id.join(), 3));
                cuts.add(head(ring).truncate(id.join(), 3));
            });
            id.complete(head(ring).generate(request(9, 1900).build(), "client", source.replies()));
            long session = id.join();
            source.await(2);
            cuts.get(0).get(20, TimeUnit.SECONDS);
            assertThatThrownBy(() -> cuts.get(1).get(20, TimeUnit.SECONDS))
                    .hasMessageContaining("is already being truncated");
            assertCutRefused(ring, session, -1, "rows and cannot be truncated to -1");
            assertCutRefused(ring, session, 1950, "rows and cannot be truncated to 1950");
            assertCutRefused(ring, 77, 1, "session 77 has no running generation");
            assertForkRefused(ring, 77, 1, request(9, 5), "session 77 has no running generation");
            assertForkRefused(ring, session, 1950, request(9, 5), "a fork of 1950 was asked for");
            assertForkRefused(ring, session, -1, request(9, 5), "a fork of -1 was asked for");
            assertForkRefused(ring, session, 9, request(9, 5), "must begin with the 9 tokens that it takes over");
            assertForkRefused(ring, session, 3, request(8, 5), "must begin with the 3 tokens that it takes over");
            assertForkRefused(
                    ring,
                    session,
                    3,
                    request(9, 5).addAllPrompt(Collections.nCopies(1901, 1)),
                    "holds 1909 rows, answer included");
            head(ring).cancel(session);
            assertCutRefused(ring, session, 1, "has no running generation");
        }
    }

    private static void assertCutRefused(FakeRing ring, long session, int length, String message) {
        assertThatThrownBy(() -> head(ring).truncate(session, length).get(20, TimeUnit.SECONDS))
                .hasMessageContaining(message);
    }

    private static void assertForkRefused(
            FakeRing ring, long from, int length, GenerateRequest.Builder request, String message) {
        Heard forked = new Heard();
        head(ring).fork(from, length, request.build(), "client", forked.replies());
        assertThatThrownBy(forked::all).hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void whoeverWaitsHearsThatTheGenerationEnded(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            slow(ring, 60_000);
            long cancelled = head(ring).generate(request(9, 60).build(), "client", new Heard().replies());
            FakeRing.eventually(Duration.ofSeconds(20), () -> head(ring).sessions() == 1); // it has begun
            CompletableFuture<Void> first = head(ring).truncate(cancelled, 0);
            head(ring).cancel(cancelled);
            assertThatThrownBy(() -> first.get(20, TimeUnit.SECONDS)).hasMessageContaining("was cancelled");

            FakeRing.eventually(Duration.ofSeconds(20), () -> head(ring).sessions() == 0);
            long lost = head(ring).generate(request(9, 60).build(), "client", new Heard().replies());
            FakeRing.eventually(Duration.ofSeconds(20), () -> head(ring).sessions() == 1);
            CompletableFuture<Void> second = head(ring).truncate(lost, 0);
            ring.nodes.get(1).crash();
            assertThatThrownBy(() -> second.get(20, TimeUnit.SECONDS)).hasMessageContaining("node n1");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aDefectOfTheSchedulerIsSaidToAllWhoWait(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            Heard heard = new Heard().at(2, () -> {
                throw new AssertionError("a defect");
            });
            head(ring).generate(request(9, 60).build(), "client", heard.replies());
            assertThatThrownBy(heard::all)
                    .hasMessageContaining("the ring agent of node n0 failed: java.lang.AssertionError: a defect");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void manyOrdersAmongManyGenerations(int nodes) throws Exception {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<List<Integer>> expected = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                expected.add(FakeRing.tokens(
                        ring.generate(request(300 * (i % 2) + 5 + i, 30).build())));
            }
            slow(ring, 1);
            List<Heard> heard = new ArrayList<>();
            List<Long> sessions = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                heard.add(new Heard());
                sessions.add(head(ring)
                        .generate(
                                request(300 * (i % 2) + 5 + i, 30).build(),
                                "client",
                                heard.get(i).replies()));
            }
            Random random = new Random(7);
            for (int i = 0; i < 40; i++) {
                head(ring)
                        .truncate(sessions.get(random.nextInt(6)), random.nextInt(40))
                        .handle((done, refused) -> done); // one that is cut already, or has no such row yet, refuses
                Thread.sleep(5);
            }
            for (int i = 0; i < 6; i++) {
                assertThat(FakeRing.tokens(heard.get(i).all()))
                        .as("generation " + i)
                        .isEqualTo(expected.get(i));
            }
            assertThat(ring.loaders.get(0).loaded.get(0).cuts.get()).isPositive();
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    /** Positions in order, each once. */
    private static List<ByteString> routing(List<GenerateReply> replies) {
        List<ByteString> rows = new ArrayList<>();
        for (GenerateReply reply : replies) {
            if (reply.hasRouting()) {
                assertThat(reply.getRouting().getPosition()).isEqualTo(rows.size());
                int layers = reply.getRouting().getLayersCount();
                int bytes = reply.getRouting().getWidth() * Float.BYTES;
                for (int row = 0; row < reply.getRouting().getRows(); row++) {
                    ByteString weights = ByteString.EMPTY;
                    for (int layer = 0; layer < layers; layer++) {
                        int from = (layer * reply.getRouting().getRows() + row) * bytes;
                        weights = weights.concat(reply.getRouting().getWeights().substring(from, from + bytes));
                    }
                    rows.add(weights);
                }
            }
        }
        return rows;
    }
}
