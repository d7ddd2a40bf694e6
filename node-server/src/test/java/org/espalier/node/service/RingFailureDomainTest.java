package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What goes wrong for one generation is no other one's failure: tokens and routing of the others are those of an undisturbed run. */
@Timeout(120)
class RingFailureDomainTest {

    /** Five whose sessions stay short, and one that reaches a length which only it has. */
    private static final int SHORT = 30;

    private static GenerateRequest request(int i) {
        return FakeRing.request(3 + i, i == 5 ? 60 : SHORT).setRouting(true).build();
    }

    private static List<List<GenerateReply>> undisturbed(int nodes) {
        try (FakeRing ring = FakeRing.serving(nodes)) {
            List<List<GenerateReply>> replies = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                replies.add(ring.generate(request(i)));
            }
            return replies;
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 0, throws", "3, 0, throws", "3, 1, throws", "3, 2, throws", "1, 0, yields NaN", "3, 2, yields NaN"})
    void oneSessionsFailureIsItsOwn(int nodes, int failing, String how) throws Exception {
        List<List<GenerateReply>> expected = undisturbed(nodes);
        try (FakeRing ring = FakeRing.serving(nodes)) {
            FakeProgram program = ring.loaders.get(failing).loaded.get(0);
            if (how.equals("throws")) {
                program.failAtLength = 45;
            } else {
                program.nanAtLength = 45;
            }
            ring.loaders.get(0).loaded.get(0).rowMillis = 1; // so that they share steps
            RingMember head = ring.nodes.get(0).member(FakeRing.ID, 1);
            List<Heard> heard = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                heard.add(new Heard());
                head.generate(request(i), "client", heard.get(i).replies());
            }
            assertThatThrownBy(heard.get(5)::all)
                    .hasMessageContaining("node n" + failing + " (")
                    .hasMessageContaining(how.equals("throws") ? "op 3 went wrong" : "is NaN");
            for (int i = 0; i < 5; i++) {
                assertThat(heard.get(i).all().stream().filter(reply -> !reply.hasFinished() && !reply.hasAlive()))
                        .as("generation " + i)
                        .isEqualTo(expected.get(i).stream()
                                .filter(reply -> !reply.hasFinished() && !reply.hasAlive())
                                .toList());
            }
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "3, 0", "3, 1", "3, 2"})
    void aSessionBeyondTheMemoryIsRefusedAlone(int nodes, int small) throws Exception {
        List<List<GenerateReply>> expected = undisturbed(nodes);
        try (FakeRing ring = FakeRing.serving(nodes)) {
            ring.loaders.get(small).loaded.get(0).kvRows = 60;
            ring.loaders.get(0).loaded.get(0).rowMillis = 1;
            RingMember head = ring.nodes.get(0).member(FakeRing.ID, 1);
            Heard large = new Heard();
            head.generate(request(5), "client", large.replies());
            Heard fits = new Heard();
            head.generate(request(2), "client", fits.replies());
            assertThatThrownBy(large::all)
                    .hasMessageContaining("node n" + small + " (")
                    .hasMessageContaining("RESOURCE_EXHAUSTED")
                    .hasMessageContaining("cannot go on with session 1: session 1 of 68 rows does not fit 60");
            assertThat(FakeRing.tokens(fits.all())).isEqualTo(FakeRing.tokens(expected.get(2)));
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    /** Each would have room alone: they wait for each other, one of another client that fits does not. */
    @ParameterizedTest
    @CsvSource({"1, 0", "3, 0", "3, 1", "3, 2"})
    void generationsWaitForMemoryThatOthersHave(int nodes, int small) throws Exception {
        List<List<GenerateReply>> expected = undisturbed(nodes);
        try (FakeRing ring = new FakeRing(nodes)) {
            ring.loaders.get(small).kvRows = 110;
            ring.place(1, "fake");
            ring.loaders.get(0).loaded.get(0).rowMillis = 5;
            RingMember head = ring.nodes.get(0).member(FakeRing.ID, 1);
            List<Heard> heard = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                heard.add(new Heard());
                head.generate(request(i), "client", heard.get(i).replies()); // of 33 to 36 rows
            }
            Heard other = new Heard();
            head.generate(request(0), "other", other.replies());
            for (int i = 0; i < 4; i++) {
                assertThat(FakeRing.tokens(heard.get(i).all())).isEqualTo(FakeRing.tokens(expected.get(i)));
            }
            assertThat(FakeRing.tokens(other.all())).isEqualTo(FakeRing.tokens(expected.get(0)));
            FakeRing.eventually(Duration.ofSeconds(5), () -> ring.sessions() == 0);
        }
    }

    @Test
    void aGenerationThatWaitsSaysItsPlace() throws Exception {
        try (FakeRing ring = new FakeRing(1)) {
            ring.loaders.get(0).kvRows = 40;
            ring.place(1, "fake");
            ring.loaders.get(0).loaded.get(0).rowMillis = 50; // each takes more than a second
            RingMember head = ring.nodes.get(0).member(FakeRing.ID, 1);
            List<Heard> heard = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                heard.add(new Heard());
                head.generate(request(i), "client", heard.get(i).replies());
            }
            assertThat(heard.get(2).all().stream()
                            .filter(GenerateReply::hasAlive)
                            .map(reply -> reply.getAlive().getWaitingBefore())
                            .filter(place -> place > 0)
                            .distinct())
                    .containsExactly(2, 1);
        }
    }

    @Test
    void aGenerationSaysEachSecondThatItIsAlive() throws Exception {
        try (FakeRing ring = FakeRing.serving(1)) {
            ring.loaders.get(0).loaded.get(0).rowMillis = 900; // 4 rows of a prompt in one step
            List<GenerateReply> replies = ring.generate(FakeRing.request(4, 1).build());
            assertThat(replies.stream().filter(GenerateReply::hasAlive).count()).isBetween(2L, 5L);
            assertThat(replies.get(0).hasAlive()).isTrue();
        }
    }
}
