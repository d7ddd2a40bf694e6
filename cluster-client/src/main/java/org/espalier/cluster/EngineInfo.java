package org.espalier.cluster;

import java.util.List;

/**
 * An engine that a node knows of.
 *
 * @param detail the device of a ready engine, what would be fetched of an obtainable one, why a missing one is missing
 * @param bytes to fetch
 * @param precisions {@code float32}, {@code fast}
 * @param crossing what an exchange within a step costs it beside the link
 */
public record EngineInfo(
        String name, Availability availability, String detail, long bytes, List<String> precisions, Crossing crossing) {

    /**
     * The cost of an exchange in the middle of a step, without the link: on a GPU, what ends with the work handed in and has to be begun again.
     *
     * @param source what says so, for people; empty where nothing is known, and then it counts as nothing
     */
    public record Crossing(long nanos, String source) {

        public static final Crossing UNKNOWN = new Crossing(0, "");
    }

    /** Whether it can be started. */
    public enum Availability {
        READY,
        /** Can be started once it is fetched. */
        OBTAINABLE,
        MISSING
    }

    public EngineInfo {
        precisions = List.copyOf(precisions);
    }

    /** A short description that says on what it runs, or why it does not. */
    @Override
    public String toString() {
        return switch (availability) {
            case READY -> name + " (" + detail + ")";
            case OBTAINABLE -> name + " (not fetched yet: " + detail + ")";
            case MISSING -> name + " (missing: " + detail + ")";
        };
    }
}
