package org.espalier.program;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.espalier.weights.FileRanges;
import org.espalier.weights.Weight;

/** What a program reads, keeps and costs, from headers alone. Whoever counts a model's bytes asks here. */
public final class Plan {

    /** Bytes between two ranges that are rather fetched too than asked for apart. */
    public static final long FETCH_GAP = 1 << 20;

    private final Program program;

    Plan(Program program) {
        this.program = program;
    }

    /** The bytes of each file that the program reads, as they are fetched: ranges less than {@link #FETCH_GAP} apart are one. */
    public FileRanges ranges() {
        return FileRanges.of(program.weights().values(), FETCH_GAP);
    }

    /** Bytes of weights that stay resident; one that two ops share (tied embeddings) counts once. */
    public long residentBytes() {
        return program.weights().values().stream()
                .distinct()
                .mapToLong(Weight::bytes)
                .sum();
    }

    /** The same by format, as people call it. */
    public Map<String, Long> bytesByFormat() {
        return program.weights().values().stream()
                .distinct()
                .collect(Collectors.groupingBy(
                        weight -> weight.format().title(), HashMap::new, Collectors.summingLong(Weight::bytes)));
    }

    /** KV values that one more row of a session keeps; layers with a full window keep no more of them. */
    public long cacheValuesPerRow() {
        return program.caches().stream()
                .filter(Cache.Rows.class::isInstance)
                .mapToLong(cache -> ((Cache.Rows) cache).width())
                .sum();
    }

    /** Values that a session of at most {@code maxLength} rows keeps, windows and states counted as they are. */
    public long cacheValues(int maxLength) {
        return program.caches().stream()
                .mapToLong(cache -> cache.values(maxLength))
                .sum();
    }

    /** What one step reads and computes. */
    public Cost cost(StepShape step) {
        return program.ops().stream().map(op -> op.cost(program, step)).reduce(Cost.NONE, Cost::plus);
    }
}
