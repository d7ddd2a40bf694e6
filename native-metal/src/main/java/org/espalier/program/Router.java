package org.espalier.program;

/**
 * How scores become experts and weights.
 *
 * <p>Scores s = scoring(W x); choice scores c = s + correction bias where there is one. With groups &gt; 1 the experts fall into equal
 * groups, a group scores by {@code groupScore} over its c, the best {@code topGroups} stay, and the others' c becomes 0.0, not minus
 * infinity (as the published models compute it: a dropped expert can win against negative ones). The K greatest c are chosen; their
 * weights are s, divided by their sum plus 1e-20 where {@code normalize}, times {@code scale}.
 *
 * @param experts E
 * @param topK K
 * @param groups 1 where the model has none
 */
public record Router(
        int experts,
        int topK,
        Scoring scoring,
        int groups,
        int topGroups,
        GroupScore groupScore,
        boolean normalize,
        float scale) {

    public enum Scoring {
        SIGMOID,
        /** Over all experts, before the choice. */
        SOFTMAX
    }

    public enum GroupScore {
        /** The sum of the group's two greatest choice scores (DeepSeek V3). */
        TOP2_SUM,
        /** The group's greatest choice score (DeepSeek V2). */
        MAX
    }
}
