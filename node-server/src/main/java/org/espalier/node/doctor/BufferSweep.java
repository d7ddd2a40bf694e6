package org.espalier.node.doctor;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.espalier.node.delivery.BufferLimits;

/** Tries limits of command buffers. MLX's own are kept unless others are clearly faster, twice. */
final class BufferSweep {

    /** Of MLX's own time; less of a gain is noise. */
    private static final double CLEARLY_FASTER = 0.97;

    /** Measures a step anew. */
    interface Timing {
        double seconds(BufferLimits limits) throws InterruptedException;
    }

    private record Tried(BufferLimits limits, double seconds) {}

    private final Timing timing;
    private final StringBuilder text = new StringBuilder();

    BufferSweep(Timing timing) {
        this.timing = timing;
    }

    /** The fastest of several may be so by chance, so that it has to be fast a second time, beside MLX's own. */
    BufferLimits kept(String device) throws InterruptedException {
        Tried own = tried(BufferLimits.own(device));
        List<Tried> others = new ArrayList<>();
        for (BufferLimits limits : BufferLimits.others(device)) {
            others.add(tried(limits));
        }
        Tried fastest =
                others.stream().min(Comparator.comparingDouble(Tried::seconds)).orElseThrow();
        if (device.endsWith("on the processor")) { // which has no such buffers
            return own.limits;
        }
        return isClearlyFaster(fastest, own) && isClearlyFaster(tried(fastest.limits), tried(own.limits))
                ? fastest.limits
                : own.limits;
    }

    private static boolean isClearlyFaster(Tried other, Tried own) {
        return other.seconds < CLEARLY_FASTER * own.seconds;
    }

    private Tried tried(BufferLimits limits) throws InterruptedException {
        double seconds = timing.seconds(limits);
        text.append(String.format(Locale.ROOT, "%s: %.3f ms; ", limits.title(), seconds * 1e3));
        return new Tried(limits, seconds);
    }

    /** What was measured so far, in that order. */
    String text() {
        return text.toString();
    }
}
