package org.espalier.program;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.weights.Weight;

/**
 * What one shard computes: a straight line of ops over slots, with named weights and caches. Made from headers alone, it is also the plan
 * of what a shard reads and keeps, see {@link #plan}.
 *
 * @param name {@code main}; a shard may hold others beside it
 * @param hidden D, the width of activations between shards
 * @param slots width of each slot; a slot holds [T, width] floats while a step runs
 * @param input where a step's activations go; a program that begins with {@link Embed} fills it itself
 * @param output where the activations for the next shard are; before the final norm in the last shard
 * @param logits the slot of the logits, [R, V] for the R rows of a step that want them; null where activations go out
 * @param ops in order of execution
 * @param weights by the published Hugging Face checkpoint's names
 * @param caches one for each op that remembers rows or a state
 */
public record Program(
        String name,
        int hidden,
        List<Integer> slots,
        View input,
        View output,
        View logits,
        List<Op> ops,
        Map<String, Weight> weights,
        List<Cache> caches) {

    public Program {
        slots = List.copyOf(slots);
        ops = List.copyOf(ops);
        weights = Collections.unmodifiableSortedMap(new TreeMap<>(weights));
        caches = List.copyOf(caches);
    }

    /**
     * Proves the meaning: slots and widths of every op, the order of values, routes, caches and exchanges, every weight's shape and format, and
     * that each region lies inside its file. Engines trust a program that passed.
     *
     * @return this
     * @throws ProgramException naming the op
     * @throws org.espalier.weights.WeightException naming the weight
     */
    public Program check() {
        new ProgramCheck(this, ProgramCheck.Group.UNKNOWN).run();
        return this;
    }

    /**
     * The same, and that its exchanges fit a group of {@code nodes}.
     *
     * @param rank of this node, from 0
     */
    public Program check(int rank, int nodes) {
        new ProgramCheck(this, new ProgramCheck.Group(rank, nodes)).run();
        return this;
    }

    /** What this program reads, keeps and costs. */
    public Plan plan() {
        return new Plan(this);
    }

    /** Whether steps bring token ids rather than activations. */
    public boolean embedsTokens() {
        return !ops.isEmpty() && ops.get(0) instanceof Embed;
    }

    /** Whether steps yield logits rather than activations. */
    public boolean endsInLogits() {
        return logits != null;
    }

    /** V, of the embedding or the output matrix; 0 for a program that has neither. */
    public int vocabulary() {
        if (embedsTokens()) {
            return weight(((Embed) ops.get(0)).weight()).rows();
        }
        return endsInLogits() ? logits.width() : 0;
    }

    /** The route ops, one for each MoE layer, in order. */
    public List<Route> routes() {
        return ops.stream()
                .filter(Route.class::isInstance)
                .map(Route.class::cast)
                .toList();
    }

    /** The checkpoint's indices of the MoE layers, in order. */
    public List<Integer> routedLayers() {
        return routes().stream().map(Route::layer).toList();
    }

    /** Of the layer's route op. */
    public Router router(int layer) {
        return routes().stream()
                .filter(route -> route.layer() == layer)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("program '" + name + "' does not route layer " + layer))
                .router();
    }

    /** What chooses rows in {@code layer}. */
    public SelectRows selection(int layer) {
        return ops.stream()
                .filter(op -> op instanceof SelectRows select && select.layer() == layer)
                .map(SelectRows.class::cast)
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("program '" + name + "' selects no rows in layer " + layer));
    }

    public Weight weight(String name) {
        Weight weight = weights.get(name);
        if (weight == null) {
            throw new IllegalArgumentException("program '" + this.name + "' has no weight " + name);
        }
        return weight;
    }
}
