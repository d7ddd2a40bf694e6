package org.espalier.node.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.espalier.program.Op;
import org.espalier.program.Program;
import org.espalier.program.StepShape;

/** Where the time of steps goes, by kind of op; products by their shape too. */
public final class OpTimes {

    /**
     * All ops of one kind.
     *
     * @param what the op, and the weight that it reads first, without its layer
     * @param nanos in all steps together
     * @param weightBytes that one step of one row reads
     */
    public record Line(String what, int ops, long nanos, long weightBytes) {}

    private OpTimes() {}

    /** The slowest first. An op that took no time at all ran as a part of the one before it, whose line gets its weights. */
    public static List<Line> of(Program program, long[] nanos, StepShape step) {
        Map<String, Line> lines = new LinkedHashMap<>();
        String ran = null;
        for (int i = 0; i < nanos.length; i++) {
            Op op = program.ops().get(i);
            ran = nanos[i] == 0 && ran != null ? ran : name(op);
            Line one = new Line(ran, 1, nanos[i], op.cost(program, step).weightBytes());
            lines.merge(
                    one.what(),
                    one,
                    (a, b) -> new Line(
                            a.what(), a.ops() + b.ops(), a.nanos() + b.nanos(), a.weightBytes() + b.weightBytes()));
        }
        List<Line> sorted = new ArrayList<>(lines.values());
        sorted.sort((a, b) -> Long.compare(b.nanos(), a.nanos()));
        return sorted;
    }

    private static String name(Op op) {
        String kind = op.getClass().getSimpleName();
        return op.weights().isEmpty()
                ? kind
                : kind + " " + op.weights().get(0).replaceFirst("^model\\.layers\\.\\d+\\.", "");
    }

    /** A table: microseconds a token, share of the time, GB/s of weights. */
    public static String table(List<Line> lines, int tokens) {
        double all = lines.stream().mapToLong(Line::nanos).sum();
        StringBuilder table = new StringBuilder(
                String.format(Locale.ROOT, "%12s %6s %8s %5s  op%n", "us a token", "share", "GB/s", "ops"));
        for (Line line : lines) {
            double micros = line.nanos() * 1e-3 / tokens;
            table.append(String.format(
                    Locale.ROOT,
                    "%12.1f %5.1f%% %8.1f %5d  %s%n",
                    micros,
                    100 * line.nanos() / all,
                    line.weightBytes() / micros * 1e-3,
                    line.ops(),
                    line.what()));
        }
        return table.toString();
    }
}
