package org.espalier.cluster;

import java.util.Locale;

/**
 * How long a placement takes at least for one token of one conversation: what it waits for, one after the other.
 *
 * @param readSeconds for reading weights
 * @param waySeconds between nodes: from one stage to the next and back to the head, and the ways of exchanges
 * @param crossingSeconds that engines take for exchanges beside the ways
 * @param exchanges within layers, one after the other
 * @param crossingSource what says how long a crossing takes, of the stage where they take longest; empty where nothing is known, or nothing is exchanged
 * @param waysKnown whether all ways that it takes were measured: others count as nothing
 */
public record TokenTime(
        double readSeconds,
        double waySeconds,
        double crossingSeconds,
        int exchanges,
        String crossingSource,
        boolean waysKnown) {

    public double seconds() {
        return readSeconds + waySeconds + crossingSeconds;
    }

    /** One line. */
    @Override
    public String toString() {
        String text = String.format(
                Locale.ROOT,
                "at least %.2f ms a token: %.2f reading weights, %.2f between nodes%s",
                seconds() * 1e3,
                readSeconds * 1e3,
                waySeconds * 1e3,
                waysKnown ? "" : " (ways that were not measured count as nothing)");
        if (exchanges == 0) {
            return text;
        }
        return text
                + String.format(
                        Locale.ROOT,
                        ", %.2f crossing to the processor in %d exchanges (%s)",
                        crossingSeconds * 1e3,
                        exchanges,
                        crossingSource.isEmpty()
                                ? "nothing is known of what that costs, it counts as nothing"
                                : crossingSource);
    }
}
