package org.espalier.cluster;

import java.util.List;

/**
 * An engine that a node knows of.
 *
 * @param detail of a ready one its device, of an obtainable one what is fetched, of a missing one why
 * @param bytes to fetch
 * @param precisions {@code float32}, {@code fast}
 */
public record EngineInfo(String name, Availability availability, String detail, long bytes, List<String> precisions) {

    /** Whether it can be started. */
    public enum Availability {
        READY,
        /** Once it is fetched. */
        OBTAINABLE,
        MISSING
    }

    public EngineInfo {
        precisions = List.copyOf(precisions);
    }

    /** In a few words; why it is not ready where it is not. */
    @Override
    public String toString() {
        return switch (availability) {
            case READY -> name;
            case OBTAINABLE -> name + " (not fetched yet: " + detail + ")";
            case MISSING -> name + " (missing: " + detail + ")";
        };
    }
}
