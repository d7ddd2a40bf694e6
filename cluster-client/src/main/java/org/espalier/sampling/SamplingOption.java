package org.espalier.sampling;

import java.util.List;
import java.util.Locale;
import java.util.function.DoublePredicate;
import org.espalier.EspalierException;

/**
 * An option of how the next token is chosen. Each is declared here and nowhere else: its names on command lines and on the wire, its
 * range and its help text come from here. What it does is in the node's {@code Sampler}.
 */
public enum SamplingOption {
    TEMPERATURE("T", 0f, value -> value >= 0, "0 or more", "Divides the logits; 0: always the most likely token."),
    TOP_K(
            "K",
            0L,
            value -> value >= 0,
            "a whole number, 0 (all) or more",
            "Sample from the K most likely tokens; 0: all."),
    TOP_P(
            "P",
            1f,
            value -> value > 0 && value <= 1,
            "above 0 and at most 1",
            "Sample from the most likely tokens that make up P; 1: all."),
    MIN_P(
            "P",
            0f,
            value -> value >= 0 && value <= 1,
            "0 (all) to 1",
            "Sample from tokens at least P times as likely as the most likely one; 0: all."),
    REPETITION_PENALTY("R", 1f, value -> value > 0, "above 0", "Above 1: less repetition; 1: none."),
    SEED("N", 0L, value -> true, "a whole number of 64 bits", "Seed of the random choice.");

    private final String label;
    private final Number initial;
    private final DoublePredicate valid;
    private final String range;
    private final String help;

    /**
     * @param label of the value in a usage text
     * @param initial a Long for an option that takes whole numbers, a Float for any other
     * @param range what is valid, as in "expected ..."
     * @param help one sentence for a usage text
     */
    SamplingOption(String label, Number initial, DoublePredicate valid, String range, String help) {
        this.label = label;
        this.initial = initial;
        this.valid = valid;
        this.range = range;
        this.help = help;
    }

    /** As users and the wire name it, for instance {@code top-k}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public String label() {
        return label;
    }

    public String help() {
        return help;
    }

    /** The default value: a Long where the option takes whole numbers, otherwise a Float. */
    public Number initial() {
        return initial;
    }

    /**
     * The value as this option keeps it: a Long or a Float, as {@link #initial}.
     *
     * @throws EspalierException naming the option if the value is out of its range
     */
    public Number checked(Number value) {
        boolean whole = initial instanceof Long;
        Number kept = whole ? (Number) value.longValue() : (Number) value.floatValue();
        // A double of 2^53 or more may be another whole number than was meant; a Long is taken as it is.
        boolean exact = !whole || value instanceof Long || kept.doubleValue() == value.doubleValue();
        if (!exact || !Float.isFinite(kept.floatValue()) || !valid.test(kept.doubleValue())) {
            throw new EspalierException(id() + " is " + (exact ? kept : value) + ": expected " + range);
        }
        return kept;
    }

    /** @throws EspalierException listing the options if there is none of that id */
    public static SamplingOption of(String id) {
        for (SamplingOption option : values()) {
            if (option.id().equals(id)) {
                return option;
            }
        }
        throw new EspalierException("there is no sampling option '" + id + "': expected one of "
                + String.join(
                        ", ", List.of(values()).stream().map(SamplingOption::id).toList())
                + "; a newer client may know more: use the same version everywhere");
    }
}
