package org.espalier.engine;

/**
 * What an exchange in the middle of a step costs an engine, beside the link: on a GPU, the work handed in ends there, the processor is woken, and other work is
 * handed in after it.
 *
 * @param nanos of one exchange
 * @param source what says so, for people
 */
public record Crossing(long nanos, String source) {

    public Crossing {
        if (nanos < 0 || source.isBlank()) {
            throw new IllegalArgumentException(
                    "a crossing of " + nanos + " ns by '" + source + "': expected 0 or more, and what says so");
        }
    }
}
