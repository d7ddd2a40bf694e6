package org.espalier.program;

/**
 * How scores become experts and weights, in float32 whatever the precision of the run.
 *
 * <p>Scores s = scoring(W x); choice scores c = s + correction bias where there is one. The K greatest c are chosen, the lowest index of
 * a tie; their weights are s, divided by their sum plus 1e-20 where {@code normalize}, times {@code scale}. Experts of a dropped group
 * and banned ones are never taken, so a row may end with fewer than K; a forced expert is taken even from a dropped group.
 *
 * @param experts E
 * @param topK K
 * @param normalize whether the chosen weights are divided by their sum
 */
public record Router(int experts, int topK, Scoring scoring, Groups groups, boolean normalize, float scale) {

    public Router {
        boolean grouped = groups.count() >= 1 && experts % groups.count() == 0;
        if (experts < 1 || experts > Short.MAX_VALUE || topK < 1 || topK > experts || !grouped) {
            throw new IllegalArgumentException(
                    "not a valid router: " + topK + " of " + experts + " experts in " + groups.count() + " groups");
        }
    }

    public enum Scoring {
        SIGMOID,
        /** Over all experts, before the choice. */
        SOFTMAX
    }

    /**
     * The experts fall into equal groups; the best groups stay, the lowest of a tie, and the others' experts have minus infinity as
     * choice score, as DeepSeek's own code has it.
     *
     * @param count 1 where the model has none
     * @param kept groups that stay
     */
    public record Groups(int count, int kept, Score score) {

        public static final Groups NONE = new Groups(1, 1, Score.MAX);

        public Groups {
            if (kept < 1 || kept > count) {
                throw new IllegalArgumentException("cannot keep " + kept + " of " + count + " groups");
            }
        }

        /** What a group's score is, by its choice scores. */
        public enum Score {
            /** The sum of the two greatest (DeepSeek V3). */
            TOP2_SUM,
            /** The greatest (DeepSeek V2). */
            MAX
        }
    }
}
