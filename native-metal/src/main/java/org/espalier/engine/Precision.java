package org.espalier.engine;

import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;

/** The arithmetic of a run. Weights are the checkpoint's in both; routing is in float32 in both. */
public enum Precision {
    /** Float activations, float partial sums, float on the wire, on every engine: equality is tested with it. */
    FLOAT32,
    /** What the engine does best, for instance bf16 activations, also on the wire. */
    FAST;

    /** As command lines and messages name it. */
    public String title() {
        return name().toLowerCase(Locale.ROOT);
    }

    static String titles(Collection<Precision> precisions) {
        return precisions.stream().sorted().map(Precision::title).collect(Collectors.joining(", "));
    }
}
