package org.espalier.score;

import java.util.Locale;
import org.espalier.EspalierException;

/**
 * The mean of some values and how far it is likely to be off.
 *
 * @param standardError the values' standard deviation (over count - 1) by the root of their number, which takes them for independent of each
 *     other; NaN for a single value
 */
public record Mean(double value, double standardError, int count) {

    /** @throws EspalierException if there are no values */
    public static Mean of(double... values) {
        if (values.length == 0) {
            throw new EspalierException("there are no values: a mean needs at least one");
        }
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        double mean = sum / values.length;
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        double variance = squares / (values.length - 1); // 0/0 for a single value
        return new Mean(mean, Math.sqrt(variance / values.length), values.length);
    }

    /** For instance {@code 1.30 ± 0.12}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.2f ± %.2f", value, standardError);
    }
}
