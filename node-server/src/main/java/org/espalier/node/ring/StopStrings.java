package org.espalier.node.ring;

import java.util.List;
import java.util.Optional;

/** Finds stop strings in a growing text, of which it keeps only as much as a stop string may still need. */
final class StopStrings {

    private final List<String> stops;
    private final int longest;
    private final StringBuilder tail = new StringBuilder();

    StopStrings(List<String> stops) {
        this.stops = List.copyOf(stops);
        this.longest = stops.stream().mapToInt(String::length).max().orElse(0);
    }

    /** Adds a piece and returns the first stop string in the text, if any. */
    Optional<String> add(String piece) {
        tail.append(piece);
        String found = null;
        int at = Integer.MAX_VALUE;
        for (String stop : stops) {
            int index = tail.indexOf(stop);
            if (index >= 0 && index < at) {
                at = index;
                found = stop;
            }
        }
        tail.delete(0, Math.max(0, tail.length() - longest + 1));
        return Optional.ofNullable(found);
    }
}
