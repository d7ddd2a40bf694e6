package org.espalier.engine.reference;

import java.util.Arrays;

/**
 * The rows of its session that a row sees.
 *
 * @param first the first of them where they follow each other
 * @param chosen where they do not, each of them, ascending; or null
 */
record SeenRows(int first, int count, int[] chosen) {

    /** {@code first} to {@code last} inclusive. */
    static SeenRows between(int first, int last) {
        return new SeenRows(first, last + 1 - first, null);
    }

    /** Those with the {@code topK} greatest scores, the earlier ones of a tie. */
    static SeenRows greatest(float[] scores, int topK) {
        long[] order = new long[scores.length];
        Arrays.setAll(order, s -> descending(scores[s]) << Integer.SIZE | s);
        Arrays.sort(order);
        int[] chosen = Arrays.stream(order, 0, topK)
                .mapToInt(key -> (int) key)
                .sorted()
                .toArray();
        return new SeenRows(0, topK, chosen);
    }

    /** An integer that is smaller the greater the score is. The bits of positive floats ascend with them, those of negative ones descend. */
    private static long descending(float score) {
        int bits = Float.floatToIntBits(score + 0f); // -0 ties with 0
        return bits >= 0 ? ~bits : bits & Integer.MAX_VALUE;
    }

    /** The s-th of them, from 0. */
    int row(int s) {
        return chosen == null ? first + s : chosen[s];
    }
}
