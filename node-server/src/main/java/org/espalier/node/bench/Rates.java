package org.espalier.node.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * Tokens a second of several repetitions.
 *
 * @param least of all repetitions
 * @param greatest of all repetitions
 */
public record Rates(double median, double least, double greatest) {

    static Rates of(double[] each) {
        double[] sorted = each.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        return new Rates(median, sorted[0], sorted[sorted.length - 1]);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", median, least, greatest);
    }
}
