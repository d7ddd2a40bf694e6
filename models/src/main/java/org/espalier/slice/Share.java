package org.espalier.slice;

import java.math.BigInteger;
import org.espalier.EspalierException;

/**
 * Parts {@code from} to {@code to} exclusive of {@code of}: 0 to 8 of 11 for 64 GB beside 24 GB. What is shared has units that stay whole; where
 * it has fewer units than there are parts, some shares are empty. Parts are kept in lowest terms, so that 2 to 4 of 4 is 1 to 2 of 2.
 */
public record Share(int from, int to, int of) {

    public static final Share WHOLE = new Share(0, 1, 1);

    /** The most parts, so that units times parts stay far below the greatest long. */
    private static final int MOST_PARTS = 1 << 20;

    /** @throws EspalierException if these are no parts */
    public Share {
        if (from < 0 || to <= from || to > of || of > MOST_PARTS) {
            throw new EspalierException("parts " + from + " to " + to + " of " + of
                    + " are not a share: expected 0 <= from < to <= of <= " + MOST_PARTS);
        }
        int common = BigInteger.valueOf(from)
                .gcd(BigInteger.valueOf(to))
                .gcd(BigInteger.valueOf(of))
                .intValue();
        from /= common;
        to /= common;
        of /= common;
    }

    /** Part {@code index} of {@code of} equal ones. */
    public static Share equal(int index, int of) {
        return new Share(index, index + 1, of);
    }

    /** Whether this begins where {@code before} ends. */
    boolean follows(Share before) {
        return (long) from * before.of == (long) before.to * of;
    }

    public boolean isWhole() {
        return from == 0 && to == of;
    }

    /**
     * What this share has of {@code size} rows, columns or heads that are cut only between units: floor(units * part / parts) to the next
     * share's. The one place where boundaries are computed.
     *
     * @param unit how many of them stay together; the last unit may have fewer
     */
    public Cut cut(int size, int unit) {
        long units = (size + unit - 1L) / unit;
        long begin = Math.min(size, units * from / of * unit);
        long end = Math.min(size, units * to / of * unit);
        return new Cut((int) begin, (int) (end - begin));
    }

    /** {@code count} of something from {@code first} on. */
    public record Cut(int first, int count) {

        public boolean isEmpty() {
            return count == 0;
        }

        public int end() {
            return first + count;
        }

        /** The same counted in things that have {@code many} of these each. */
        public Cut over(int many) {
            return new Cut(first / many, count / many);
        }

        /** The same counted in things of which each of these has {@code many}. */
        public Cut times(int many) {
            return new Cut(first * many, count * many);
        }
    }

    @Override
    public String toString() {
        if (isWhole()) {
            return "all";
        }
        return to - from == 1 ? "part " + from + " of " + of : "parts " + from + " to " + (to - 1) + " of " + of;
    }
}
