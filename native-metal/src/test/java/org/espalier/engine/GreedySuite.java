package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.espalier.engine.Step.Entry;
import org.espalier.engine.Step.Logits;
import org.espalier.program.Embed;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Entries that take the session's own choice as their token, so that a device can go on alone. */
abstract class GreedySuite extends Suite {

    private LoadedProgram program;

    GreedySuite(EngineUnderTest tested) {
        super(tested);
    }

    @BeforeEach
    void load() {
        program = tested.load(TinyProgram.tokens(new WeightFile(directory)));
        program.open(1, 40, RouterEdits.NONE);
    }

    @AfterEach
    void close() {
        program.close();
    }

    private StepResult run(Entry... entries) {
        return program.run(new Step(List.of(entries), null, Set.of()), Exchange.ALONE, new Cancel());
    }

    private static Entry prompt(long session, Logits logits) {
        return Entry.ofTokens(session, 0, new int[] {3, 1, 4}, logits);
    }

    private static int greatest(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    @Test
    void aChainOfGreedyStepsIsThatOfFeedingTheArgmaxByHand() {
        program.open(2, 40, RouterEdits.NONE);
        float[][] byHand = run(prompt(1, Logits.LAST)).logits();
        run(prompt(2, Logits.ALL));
        List<Integer> fed = new ArrayList<>();
        List<Integer> taken = new ArrayList<>();
        for (int position = 3; position < 30; position++) {
            fed.add(greatest(byHand[0]));
            byHand = run(Entry.ofTokens(1, position, new int[] {greatest(byHand[0])}, Logits.LAST))
                    .logits();
            StepResult alone = run(Entry.greedy(2, position, Logits.LAST));
            assertThat(alone.greedy()).hasSize(1);
            taken.add(alone.greedy()[0]);
            assertThat(alone.logits()).isDeepEqualTo(byHand);
        }
        assertThat(taken).isEqualTo(fed);
        assertThat(Set.copyOf(taken)).as("tokens of the chain").hasSizeGreaterThan(1);
    }

    @Test
    void tokensAreReportedInTheOrderOfEntriesThatTookThem() {
        program.open(2, 40, RouterEdits.NONE);
        program.open(3, 40, RouterEdits.NONE);
        float[] first = run(prompt(1, Logits.LAST)).logits()[0];
        float[][] all = run(Entry.ofTokens(3, 0, new int[] {9, 2}, Logits.ALL)).logits();
        StepResult mixed = run(
                Entry.greedy(3, 2, Logits.NONE),
                Entry.ofTokens(2, 0, new int[] {5}, Logits.NONE),
                Entry.greedy(1, 3, Logits.NONE));
        assertThat(mixed.greedy()).containsExactly(greatest(all[1]), greatest(first));
        assertThat(run(Entry.ofTokens(2, 1, new int[] {5}, Logits.NONE)).greedy())
                .isEmpty();
    }

    /** Each token is embedded as its own scores: rows of V that are also the logits. */
    private Program scores(float[][] rows) {
        int width = rows[0].length;
        float[][] identity = new float[width][width];
        for (int i = 0; i < width; i++) {
            identity[i][i] = 1;
        }
        WeightFile file = new WeightFile(directory);
        ProgramBuilder builder = new ProgramBuilder("main", width);
        View x = builder.slot(width);
        builder.weight("e", file.floats(rows));
        builder.weight("h", file.floats(identity));
        return builder.op(new Embed("e", x))
                .op(new org.espalier.program.Logits(x, "h", builder.logits(width)))
                .build(x, x);
    }

    @Test
    void theLowestIndexWinsTies() {
        float[][] rows = {{1, 3, 2, 3}, {-1, -2, -1, -1}, {0, -0f, 0, 0}, {-5, -5, -5, -4}};
        try (LoadedProgram ties = tested.load(scores(rows))) {
            int[] expected = {1, 0, 0, 3};
            for (int token = 0; token < rows.length; token++) {
                ties.open(token, 2, RouterEdits.NONE);
                Step given = Step.of(Entry.ofTokens(token, 0, new int[] {token}, Logits.LAST));
                ties.run(given, Exchange.ALONE, new Cancel());
                StepResult result =
                        ties.run(Step.of(Entry.greedy(token, 1, Logits.LAST)), Exchange.ALONE, new Cancel());
                assertThat(result.greedy()).as("after token %d", token).containsExactly(expected[token]);
                assertThat(result.logits()[0]).containsExactly(rows[expected[token]]);
            }
        }
    }

    private void assertRefused(long session, int position) {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> run(Entry.greedy(session, position, Logits.LAST)))
                .withMessage("session " + session
                        + " has no logits to choose a token from: its last step must ask for them, on the shard"
                        + " with the output matrix");
        assertThat(program.length(session)).isEqualTo(position);
    }

    @Test
    void itIsRefusedWithoutLogitsOfTheLastRow() {
        assertRefused(1, 0);
        run(prompt(1, Logits.NONE));
        assertRefused(1, 3);
        run(Entry.ofTokens(1, 3, new int[] {1}, Logits.LAST));
        run(Entry.greedy(1, 4, Logits.NONE));
        assertRefused(1, 5);
    }

    @Test
    void itIsRefusedAfterTruncateAndForkUntilAStepYieldsLogitsAgain() {
        run(prompt(1, Logits.LAST));
        program.fork(1, 2, 3);
        assertRefused(2, 3);
        program.truncate(1, 3); // cuts nothing
        run(Entry.greedy(1, 3, Logits.LAST));
        program.truncate(1, 3);
        assertRefused(1, 3);
        run(Entry.ofTokens(1, 3, new int[] {1}, Logits.LAST));
        assertThat(run(Entry.greedy(1, 4, Logits.LAST)).greedy()).hasSize(1);
    }

    @Test
    void aFailedStepDoesNotChangeTheChoice() {
        float[] logits = run(prompt(1, Logits.LAST)).logits()[0];
        Step greedy = Step.of(Entry.greedy(1, 3, Logits.LAST));
        Exchange failing = new OneNodeExchange(values -> {}, Exchange.Outcome.FAILED);
        assertThatExceptionOfType(EngineException.class).isThrownBy(() -> program.run(greedy, failing, new Cancel()));
        assertThat(program.run(greedy, Exchange.ALONE, new Cancel()).greedy()).containsExactly(greatest(logits));
    }
}
