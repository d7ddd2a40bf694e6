package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.program.Op;
import org.espalier.weights.Plain;
import org.espalier.weights.WeightFormat;

/** How far an engine's results lie from arithmetic in double. Collects before it judges, so that a run lists all that is wrong. */
final class Differences {

    private final String engine;
    private final Precision precision;
    private final Map<String, Worst> worstByOp = new TreeMap<>();
    private final List<String> failures = new ArrayList<>();

    /** @param share of the value's size; {@code allowed} likewise */
    private record Worst(double share, double allowed, String format, String where) {}

    Differences(String engine, Precision precision) {
        this.engine = engine;
        this.precision = precision;
    }

    /** Of an op without weights, or with float32 ones. */
    void compare(Class<? extends Op> op, float[][] actual, Expected[][] expected) {
        compare(op, Plain.F32, actual, expected);
    }

    void compare(Class<? extends Op> op, WeightFormat format, float[][] actual, Expected[][] expected) {
        assertThat(actual).as(op.getSimpleName()).hasDimensions(expected.length, expected[0].length);
        double allowed = Tolerance.of(op, format, precision);
        Worst worst = new Worst(-1, allowed, format.title(), "");
        int wrong = 0;
        for (int t = 0; t < expected.length; t++) {
            for (int i = 0; i < expected[t].length; i++) {
                double share = share(actual[t][i], expected[t][i]);
                wrong += share > allowed ? 1 : 0;
                if (share > worst.share()) {
                    String where =
                            "row " + t + " column " + i + ": " + actual[t][i] + ", expected " + expected[t][i].value();
                    worst = new Worst(share, allowed, format.title(), where);
                }
            }
        }
        if (wrong > 0) {
            failures.add(line(op.getSimpleName(), worst) + " (" + wrong + " of " + expected.length * expected[0].length
                    + " values differ by more)");
        }
        worstByOp.merge(op.getSimpleName(), worst, (a, b) -> a.share() >= b.share() ? a : b);
    }

    private static double share(float actual, Expected expected) {
        boolean same = actual == expected.value() || Float.isNaN(actual) && Double.isNaN(expected.value());
        double share = same ? 0 : Math.abs(actual - expected.value()) / expected.size();
        return Double.isNaN(share) ? Double.POSITIVE_INFINITY : share;
    }

    /** Fails with all differences since the last call that are greater than their tolerance. */
    void require() {
        List<String> found = List.copyOf(failures);
        failures.clear();
        assertThat(found)
                .as(() -> "differences of the engine " + engine + " in " + precision.title())
                .isEmpty();
    }

    /** A line an op. */
    String report() {
        StringBuilder report = new StringBuilder();
        worstByOp.forEach((op, worst) -> report.append(engine)
                .append(' ')
                .append(precision.title())
                .append(' ')
                .append(line(op, worst))
                .append(System.lineSeparator()));
        return report.toString();
    }

    private static String line(String op, Worst worst) {
        return String.format(
                Locale.ROOT,
                "%-16s worst %.1e, allowed %.1e, %s, %s",
                op,
                worst.share(),
                worst.allowed(),
                worst.format(),
                worst.where());
    }
}
