package org.espalier.fuzz;

import java.util.List;
import java.util.SplittableRandom;

/**
 * Tries with random input that can be repeated: try i draws from seed S + i, and a failure names its seed. {@code -Despalier.fuzz.seed=S}
 * and {@code -Despalier.fuzz.inputs=N} set the first seed and the number of tries.
 */
public final class Seeds {

    private static final long FIRST = Long.getLong("espalier.fuzz.seed", 1);

    /** One try, which draws what it needs. */
    @FunctionalInterface
    public interface Try {
        void with(SplittableRandom random) throws Exception;
    }

    private Seeds() {}

    /** @param tries how many, where the command line does not say */
    public static void each(int tries, Try body) {
        int count = Integer.getInteger("espalier.fuzz.inputs", tries);
        for (long seed = FIRST; seed < FIRST + count; seed++) {
            try {
                body.with(new SplittableRandom(seed));
            } catch (Exception | Error e) {
                throw new AssertionError(
                        "the try of seed " + seed + " gave " + e + "; repeat it with -Despalier.fuzz.seed=" + seed
                                + " -Despalier.fuzz.inputs=1",
                        e);
            }
        }
    }

    public static <T> T pick(SplittableRandom random, List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    /** Between {@code least} and {@code most} pieces, one after the other. */
    public static String text(SplittableRandom random, List<String> pieces, int least, int most) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(least, most + 1); i > 0; i--) {
            text.append(pick(random, pieces));
        }
        return text.toString();
    }
}
