package org.espalier.cluster;

import java.util.Locale;

/**
 * The way from one node to another, as that node measured it when the client connected.
 *
 * @param roundTripMicros of a small message; 0 where it was not measured
 * @param bytesPerSecond of large ones; 0 where it was not measured, or nothing large arrived within a second
 * @param problem why nothing was measured; empty if something was
 */
public record Link(String from, String to, long roundTripMicros, long bytesPerSecond, State state, String problem) {

    /** What is known of it. */
    public enum State {
        MEASURED,
        /** One of the two generates, and was not disturbed, or the node did not measure in time; nothing is known to be wrong. */
        SKIPPED,
        /** The node cannot reach the other: the two cannot be neighbours in a ring. */
        UNREACHABLE
    }

    static Link skipped(String from, String to, String why) {
        return new Link(from, to, 0, 0, State.SKIPPED, "not measured: " + why);
    }

    static Link unreachable(String from, String to, String why) {
        return new Link(from, to, 0, 0, State.UNREACHABLE, why);
    }

    public boolean isMeasured() {
        return state == State.MEASURED;
    }

    /** For instance {@code 0.21 ms}; empty where it was not measured. */
    public String roundTrip() {
        return isMeasured() ? String.format(Locale.ROOT, "%.2f ms", roundTripMicros / 1e3) : "";
    }

    /** For instance {@code 812 MB/s}; empty where it was not measured. */
    public String throughput() {
        if (!isMeasured()) {
            return "";
        }
        return bytesPerSecond == 0
                ? "below 1 MB/s"
                : String.format(
                        Locale.ROOT, bytesPerSecond < 10_000_000 ? "%.1f MB/s" : "%.0f MB/s", bytesPerSecond / 1e6);
    }

    @Override
    public String toString() {
        return from + " to " + to + ": " + (isMeasured() ? roundTrip() + ", " + throughput() : problem);
    }
}
