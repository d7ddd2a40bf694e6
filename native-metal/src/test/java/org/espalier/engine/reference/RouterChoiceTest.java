package org.espalier.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.espalier.engine.EngineException;
import org.espalier.engine.RouterEdits.LayerEdit;
import org.espalier.program.Router;
import org.espalier.program.Router.Groups.Score;
import org.espalier.program.Router.Scoring;
import org.junit.jupiter.api.Test;

final class RouterChoiceTest {

    private static final Router PLAIN = new Router(4, 2, Scoring.SIGMOID, Router.Groups.NONE, false, 1);
    private static final Router NORMALIZED = new Router(4, 2, Scoring.SIGMOID, Router.Groups.NONE, true, 3);

    /** The logits whose sigmoids are {@code scores}. */
    private static float[] logits(double... scores) {
        float[] logits = new float[scores.length];
        for (int e = 0; e < scores.length; e++) {
            logits[e] = (float) Math.log(scores[e] / (1 - scores[e]));
        }
        return logits;
    }

    private static void assertChoice(RouterChoice choice, int[] experts, float... weights) {
        assertThat(choice.experts()).containsExactly(experts);
        assertThat(choice.weights()).containsExactly(weights, within(1e-5f));
    }

    private static LayerEdit edit(Set<Integer> ban, List<Integer> force, OptionalInt topK, float scale) {
        return new LayerEdit(ban, force, topK, scale);
    }

    @Test
    void theBestSigmoidsAreTakenAsTheyAre() {
        float[] logits = logits(0.2, 0.8, 0.1, 0.6);
        assertChoice(RouterChoice.of(PLAIN, logits, null, null), new int[] {1, 3}, 0.8f, 0.6f);
    }

    @Test
    void softmaxIsOverAllExperts() {
        Router router = new Router(4, 2, Scoring.SOFTMAX, Router.Groups.NONE, false, 1);
        float[] logits = {(float) Math.log(1), (float) Math.log(5), (float) Math.log(4), (float) Math.log(10)};
        assertChoice(RouterChoice.of(router, logits, null, null), new int[] {3, 1}, 0.5f, 0.25f);
    }

    @Test
    void weightsAreNormalizedThenScaled() {
        float[] logits = logits(0.2, 0.6, 0.1, 0.2001);
        float sum = 0.6f + 0.2001f;
        assertChoice(RouterChoice.of(NORMALIZED, logits, null, null), new int[] {1, 3}, 1.8f / sum, 3 * 0.2001f / sum);
    }

    @Test
    void theCorrectionBiasServesTheChoiceOnly() {
        float[] logits = logits(0.2, 0.8, 0.1, 0.6);
        float[] correction = {0, 0, 1, 0.3f};
        assertChoice(RouterChoice.of(PLAIN, logits, correction, null), new int[] {2, 3}, 0.1f, 0.6f);
    }

    @Test
    void equalScoresGoToTheLowerId() {
        float[] logits = logits(0.5, 0.5, 0.5, 0.5);
        assertChoice(RouterChoice.of(PLAIN, logits, null, null), new int[] {0, 1}, 0.5f, 0.5f);
    }

    @Test
    void aGroupScoresByItsBestOrItsTwoBest() {
        // group 0 has the greatest score, group 1 the greatest pair
        float[] logits = logits(0.9, 0.1, 0.6, 0.7);
        Router best = new Router(4, 2, Scoring.SIGMOID, new Router.Groups(2, 1, Score.MAX), false, 1);
        Router pair = new Router(4, 2, Scoring.SIGMOID, new Router.Groups(2, 1, Score.TOP2_SUM), false, 1);
        assertChoice(RouterChoice.of(best, logits, null, null), new int[] {0, 1}, 0.9f, 0.1f);
        assertChoice(RouterChoice.of(pair, logits, null, null), new int[] {3, 2}, 0.7f, 0.6f);
    }

    /** Where dropped experts had 0.0 they would win against negative ones: here expert 3 of the kept group has -0.3, expert 0 is dropped. */
    @Test
    void anExpertOfADroppedGroupIsNeverTaken() {
        Router router = new Router(4, 2, Scoring.SIGMOID, new Router.Groups(2, 1, Score.MAX), false, 1);
        float[] logits = logits(0.3, 0.4, 0.9, 0.2);
        float[] correction = {-1, -1, 0, -0.5f}; // choice scores -0.7 -0.6 | 0.9 -0.3
        assertChoice(RouterChoice.of(router, logits, correction, null), new int[] {2, 3}, 0.9f, 0.2f);
    }

    @Test
    void aRowEndsWithFewerWhereDroppedGroupsAndBansLeaveFewer() {
        Router router = new Router(4, 2, Scoring.SIGMOID, new Router.Groups(2, 1, Score.MAX), false, 1);
        float[] logits = logits(0.3, 0.4, 0.9, 0.2);
        LayerEdit edit = edit(Set.of(2), List.of(), OptionalInt.empty(), 1);
        assertChoice(RouterChoice.of(router, logits, null, edit), new int[] {3}, 0.2f);
    }

    @Test
    void forceOverridesADroppedGroup() {
        Router router = new Router(4, 2, Scoring.SIGMOID, new Router.Groups(2, 1, Score.MAX), false, 1);
        float[] logits = logits(0.3, 0.4, 0.9, 0.2);
        LayerEdit edit = edit(Set.of(), List.of(0), OptionalInt.empty(), 1);
        assertChoice(RouterChoice.of(router, logits, null, edit), new int[] {2, 0}, 0.9f, 0.3f);
    }

    @Test
    void bannedExpertsAreNotChosen() {
        float[] logits = logits(0.2, 0.8, 0.1, 0.6);
        LayerEdit edit = edit(Set.of(1), List.of(), OptionalInt.empty(), 1);
        assertChoice(RouterChoice.of(PLAIN, logits, null, edit), new int[] {3, 0}, 0.6f, 0.2f);
    }

    @Test
    void aBanOutweighsAForce() {
        float[] logits = logits(0.2, 0.8, 0.1, 0.6);
        LayerEdit edit = edit(Set.of(1), List.of(1, 2, 2), OptionalInt.empty(), 1);
        assertChoice(RouterChoice.of(PLAIN, logits, null, edit), new int[] {3, 2}, 0.6f, 0.1f);
    }

    @Test
    void aNegativeCountIsRefused() {
        assertThatThrownBy(() -> edit(Set.of(), List.of(), OptionalInt.of(-1), 1))
                .isInstanceOf(EngineException.class)
                .hasMessage("a router edit keeps -1 experts: expected 0 or more");
    }

    @Test
    void forcedExpertsComeBeforeTheBestOthersWithTheirOwnScores() {
        float[] logits = logits(0.2, 0.8, 0.1, 0.6);
        LayerEdit edit = edit(Set.of(), List.of(2), OptionalInt.empty(), 1);
        assertChoice(RouterChoice.of(NORMALIZED, logits, null, edit), new int[] {1, 2}, 2.4f / 0.9f, 0.3f / 0.9f);
    }

    @Test
    void topKOfAnEditStandsInForTheModels() {
        float[] logits = logits(0.2, 0.8, 0.1, 0.6);
        LayerEdit one = edit(Set.of(), List.of(), OptionalInt.of(1), 1);
        LayerEdit three = edit(Set.of(), List.of(), OptionalInt.of(3), 1);
        assertThat(RouterChoice.of(PLAIN, logits, null, one).experts()).containsExactly(1);
        assertThat(RouterChoice.of(PLAIN, logits, null, three).experts()).containsExactly(1, 3, 0);
    }

    @Test
    void scaleOfAnEditMultipliesTheFinalWeights() {
        float[] logits = logits(0.2, 0.8, 0.1, 0.6);
        LayerEdit edit = edit(Set.of(), List.of(), OptionalInt.empty(), 0.5f);
        assertChoice(RouterChoice.of(PLAIN, logits, null, edit), new int[] {1, 3}, 0.4f, 0.3f);
    }

    @Test
    void fewerAreChosenWhereBansLeaveFewer() {
        float[] logits = logits(0.2, 0.8, 0.1, 0.6);
        LayerEdit edit = edit(Set.of(0, 1, 3), List.of(), OptionalInt.empty(), 1);
        assertChoice(RouterChoice.of(PLAIN, logits, null, edit), new int[] {2}, 0.1f);
    }
}
