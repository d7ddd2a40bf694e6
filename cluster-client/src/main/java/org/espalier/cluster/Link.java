package org.espalier.cluster;

import java.util.Locale;

/**
 * The way from one node to another, as that node measured it when the client connected.
 *
 * @param roundTripMicros of a small message; 0 where it was not measured
 * @param bytesPerSecond of large ones; 0 where it was not measured
 * @param problem why the node cannot reach the other, or why nothing was measured; empty if all is well
 */
public record Link(String from, String to, long roundTripMicros, long bytesPerSecond, String problem) {

    static Link unmeasured(String from, String to, String problem) {
        return new Link(from, to, 0, 0, problem);
    }

    public boolean isMeasured() {
        return problem.isEmpty();
    }

    @Override
    public String toString() {
        return isMeasured()
                ? String.format(
                        Locale.ROOT,
                        "%s to %s: %.2f ms, %.0f MB/s",
                        from,
                        to,
                        roundTripMicros / 1e3,
                        bytesPerSecond / 1e6)
                : from + " to " + to + ": " + problem;
    }
}
