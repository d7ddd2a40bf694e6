package org.espalier.engine.reference;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import org.espalier.engine.RouterEdits.LayerEdit;
import org.espalier.program.Router;

/**
 * The experts of one row of one layer, as {@link Router} describes the choice.
 *
 * @param experts by descending choice score
 * @param weights final factors, in the same order
 */
record RouterChoice(int[] experts, float[] weights) {

    /**
     * @param logits [E], W x
     * @param correction [E], or null
     * @param edit null if the session does not edit this layer
     */
    static RouterChoice of(Router router, float[] logits, float[] correction, LayerEdit edit) {
        float[] scores = scores(router, logits);
        float[] choice = scores.clone();
        for (int e = 0; correction != null && e < choice.length; e++) {
            choice[e] += correction[e];
        }
        boolean[] dropped = dropped(router.groups(), choice);
        int[] experts = choose(router, choice, dropped, edit);
        float[] weights = new float[experts.length];
        float sum = 0;
        for (int i = 0; i < experts.length; i++) {
            weights[i] = scores[experts[i]];
            sum += weights[i];
        }
        float factor = router.scale() * (edit == null ? 1 : edit.scale());
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (router.normalize() ? weights[i] / (sum + 1e-20f) : weights[i]) * factor;
        }
        return new RouterChoice(experts, weights);
    }

    /** The same experts, each weight multiplied by that of {@code expertScale} [E]. */
    RouterChoice times(float[] expertScale) {
        float[] scaled = weights.clone();
        for (int k = 0; k < scaled.length; k++) {
            scaled[k] *= expertScale[experts[k]];
        }
        return new RouterChoice(experts, scaled);
    }

    private static float[] scores(Router router, float[] logits) {
        float[] scores = logits.clone();
        switch (router.scoring()) {
            case SIGMOID -> {
                for (int e = 0; e < scores.length; e++) {
                    scores[e] = Vectors.sigmoid(scores[e]);
                }
            }
            case SOFTMAX -> Vectors.softmax(scores, scores.length);
        }
        return scores;
    }

    /** For each expert, whether its group is dropped. */
    private static boolean[] dropped(Router.Groups limit, float[] choice) {
        boolean[] dropped = new boolean[choice.length];
        if (limit.count() == 1) {
            return dropped;
        }
        int size = choice.length / limit.count();
        float[] groups = new float[limit.count()];
        for (int g = 0; g < groups.length; g++) {
            float[] sorted = Arrays.copyOfRange(choice, g * size, (g + 1) * size);
            Arrays.sort(sorted);
            groups[g] = switch (limit.score()) {
                case TOP2_SUM -> sorted[size - 1] + (size > 1 ? sorted[size - 2] : 0);
                case MAX -> sorted[size - 1];
            };
        }
        boolean[] kept = new boolean[groups.length];
        for (int n = 0; n < limit.kept(); n++) {
            kept[greatest(groups, kept)] = true;
        }
        for (int e = 0; e < choice.length; e++) {
            dropped[e] = !kept[e / size];
        }
        return dropped;
    }

    /** @param dropped experts that can only be forced */
    private static int[] choose(Router router, float[] choice, boolean[] dropped, LayerEdit edit) {
        int k = edit == null ? router.topK() : edit.topK().orElse(router.topK());
        boolean[] taken = dropped.clone();
        Set<Integer> chosen = new LinkedHashSet<>();
        if (edit != null) {
            edit.ban().forEach(e -> taken[e] = true);
            edit.force().stream()
                    .distinct()
                    .filter(e -> !edit.ban().contains(e))
                    .limit(k)
                    .forEach(e -> {
                        taken[e] = true;
                        chosen.add(e);
                    });
        }
        while (chosen.size() < k) {
            int best = greatest(choice, taken);
            if (best < 0) {
                break; // fewer experts are allowed than asked for
            }
            taken[best] = true;
            chosen.add(best);
        }
        return chosen.stream()
                .sorted((a, b) -> choice[a] == choice[b] ? a - b : Float.compare(choice[b], choice[a]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** Index of the greatest value that is not taken, the first of a tie; -1 if all are taken. */
    private static int greatest(float[] values, boolean[] taken) {
        int best = -1;
        for (int i = 0; i < values.length; i++) {
            if (!taken[i] && (best < 0 || values[i] > values[best])) {
                best = i;
            }
        }
        return best;
    }
}
