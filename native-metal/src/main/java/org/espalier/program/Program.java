package org.espalier.program;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.weights.Weight;

/**
 * What one shard computes: ops over slots, with named weights and KV caches.
 *
 * @param name {@code main}, or {@code mtp} for multi-token prediction
 * @param hidden D, the width of activations between shards
 * @param slots width of each slot; a slot holds [T, width] floats while a step runs
 * @param input where a step's activations go; a program that begins with {@link Op.Embed} fills it itself
 * @param output where the activations for the next shard are; before the final norm in the last shard
 * @param ops in order of execution
 * @param weights by the published Hugging Face checkpoint's names
 * @param caches one for each attention
 */
public record Program(
        String name,
        int hidden,
        List<Integer> slots,
        View input,
        View output,
        List<Op> ops,
        Map<String, Weight> weights,
        List<Cache> caches) {

    /**
     * KV state of one attention.
     *
     * @param width floats of a row
     * @param window rows that a row sees, itself among them; 0 where it sees all before it
     */
    public record Cache(int width, int window) {

        /** Rows that a windowed cache keeps beyond its window, so that cutting up to so many off a session is exact. */
        public static final int SPARE = 64;

        public Cache {
            if (width <= 0 || window < 0) {
                throw new IllegalArgumentException("not a cache: width " + width + ", window " + window);
            }
        }

        /** Rows that it keeps of a session of {@code maxLength}. */
        public int rows(int maxLength) {
            return window == 0 ? maxLength : Math.min(maxLength, window + SPARE);
        }
    }

    public Program {
        slots = List.copyOf(slots);
        ops = List.copyOf(ops);
        weights = Collections.unmodifiableSortedMap(new TreeMap<>(weights));
        caches = List.copyOf(caches);
    }

    /** Whether steps bring token ids rather than activations. */
    public boolean embedsTokens() {
        return !ops.isEmpty() && ops.get(0) instanceof Op.Embed;
    }

    /** Whether steps yield logits rather than activations. */
    public boolean endsInLogits() {
        return !ops.isEmpty() && ops.get(ops.size() - 1) instanceof Op.Logits;
    }

    /** The checkpoint's indices of the MoE layers, in order. */
    public List<Integer> routedLayers() {
        return ops.stream()
                .filter(Op.Route.class::isInstance)
                .map(op -> ((Op.Route) op).layer())
                .toList();
    }

    public Weight weight(String name) {
        Weight weight = weights.get(name);
        if (weight == null) {
            throw new IllegalArgumentException("program '" + this.name + "' has no weight " + name);
        }
        return weight;
    }

    /** Bytes of all weights; one shared by two ops (tied embeddings) counts once. */
    public long weightBytes() {
        return weights.values().stream().distinct().mapToLong(Weight::bytes).sum();
    }
}
