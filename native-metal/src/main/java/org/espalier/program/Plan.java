package org.espalier.program;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.espalier.weights.FileRanges;
import org.espalier.weights.Weight;

/** What a program reads, keeps and costs, from headers alone. Whoever counts a model's bytes asks here. */
public final class Plan {

    /** A gap of fewer bytes between two ranges is fetched along with them rather than making two requests. */
    public static final long FETCH_GAP = 1 << 20;

    private final Program program;

    /**
     * Bytes of a program's parts. With tied embeddings the head has the embedding's matrix, which {@link #residentBytes} counts once.
     *
     * @param embedding 0 where activations come in
     * @param layers everything else
     * @param head what turns the last layer's activations into logits; 0 where activations go out
     */
    public record Parts(long embedding, long layers, long head) {}

    Plan(Program program) {
        this.program = program;
    }

    /**
     * The bytes of each file that the program reads; ranges less than {@code gap} bytes apart are one, with what lies between them.
     *
     * @param gap {@link #FETCH_GAP} where they are fetched, 0 for what is read and nothing else
     */
    public FileRanges ranges(long gap) {
        return FileRanges.of(program.weights().values(), gap);
    }

    /** Bytes of weights that stay resident, each once: tied embeddings, scales that two weights share. Slices by columns are copied. */
    public long residentBytes() {
        return bytes(program.weights().values());
    }

    /** The same by format, as people call it. */
    public Map<String, Long> bytesByFormat() {
        Map<String, List<Weight>> byFormat = program.weights().values().stream()
                .collect(Collectors.groupingBy(weight -> weight.format().title()));
        Map<String, Long> bytes = new TreeMap<>();
        byFormat.forEach((format, weights) -> bytes.put(format, bytes(weights)));
        return bytes;
    }

    public Parts parts() {
        List<Op> ops = program.ops();
        int first = program.embedsTokens() ? 1 : 0;
        int end = ops.size();
        if (program.endsInLogits()) {
            while (end > first && !writesOutput(ops.get(end - 1))) {
                end--;
            }
        }
        return new Parts(
                bytesOf(ops.subList(0, first)),
                bytesOf(ops.subList(first, end)),
                bytesOf(ops.subList(end, ops.size())));
    }

    private boolean writesOutput(Op op) {
        return op.writes().stream().anyMatch(view -> view.overlaps(program.output()));
    }

    private long bytesOf(List<Op> ops) {
        return bytes(ops.stream()
                .flatMap(op -> op.weights().stream())
                .distinct()
                .map(program::weight)
                .toList());
    }

    /** What is mapped in place counts by its bytes, each once; pieces of rows are copied, each weight of its own. */
    private static long bytes(Collection<Weight> weights) {
        Map<Boolean, List<Weight>> copied =
                weights.stream().distinct().collect(Collectors.partitioningBy(Weight::isPartOfRows));
        return FileRanges.of(copied.get(false), 0).bytes()
                + copied.get(true).stream().mapToLong(Weight::bytes).sum();
    }

    /** KV values that one more row of a session keeps; layers with a full window keep no more of them. */
    public long cacheValuesPerRow() {
        return program.caches().stream()
                .filter(Cache.Rows.class::isInstance)
                .mapToLong(cache -> ((Cache.Rows) cache).width())
                .sum();
    }

    /** Values of a session's states, however long it is; a snapshot of them takes as many. */
    public long stateValues() {
        return program.caches().stream()
                .filter(Cache.State.class::isInstance)
                .mapToLong(cache -> ((Cache.State) cache).width())
                .sum();
    }

    /** Values that a session of at most {@code maxLength} rows keeps, windows and states counted as they are. */
    public long cacheValues(int maxLength) {
        return program.caches().stream()
                .mapToLong(cache -> cache.values(maxLength))
                .sum();
    }

    /**
     * Values that a step has in memory for each of its rows, at most: all slots, and of the op with most of them what lies between its products. Logits, of which
     * a step of many rows wants few, are left out, as are attention's scores.
     */
    public long stepValuesPerRow() {
        long slots = program.slots().stream().mapToLong(Integer::longValue).sum();
        long logits =
                program.endsInLogits() ? program.slots().get(program.logits().slot()) : 0;
        return slots
                - logits
                + program.ops().stream().mapToLong(this::valuesBetween).max().orElse(0);
    }

    /** Of one row: what each matrix makes of it; an expert's rows are gathered before. */
    private long valuesBetween(Op op) {
        if (op instanceof Embed || op instanceof Logits) {
            return 0;
        }
        long products = op.weights().stream()
                .map(program::weight)
                .mapToLong(weight -> op instanceof Experts ? weight.rows() : (long) weight.count() * weight.rows())
                .sum();
        return op instanceof Experts experts
                ? program.router(experts.layer()).topK() * (experts.in().width() + products)
                : products;
    }

    /** How often the nodes that share these layers exchange values in one step that wants logits. */
    public int exchanges() {
        return (int)
                program.ops().stream().filter(ExchangeBegin.class::isInstance).count();
    }

    /** What one step reads and computes. */
    public Cost cost(StepShape step) {
        return program.ops().stream().map(op -> op.cost(program, step)).reduce(Cost.NONE, Cost::plus);
    }
}
