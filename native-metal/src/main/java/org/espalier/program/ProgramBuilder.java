package org.espalier.program;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.weights.Weight;

/** Builds a {@link Program}: allocates slots and caches, and keeps each weight once. */
public final class ProgramBuilder {

    private final String name;
    private final int hidden;
    private final List<Integer> slots = new ArrayList<>();
    private final List<Op> ops = new ArrayList<>();
    private final Map<String, Weight> weights = new LinkedHashMap<>();
    private final List<Cache> caches = new ArrayList<>();
    private View logits;

    /** @param hidden D */
    public ProgramBuilder(String name, int hidden) {
        this.name = name;
        this.hidden = hidden;
    }

    /** A new slot of {@code width} columns; reuse one slot over layers where its value does not outlive a layer. */
    public View slot(int width) {
        slots.add(width);
        return new View(slots.size() - 1, 0, width);
    }

    /**
     * A slot that becomes as wide as its widest {@link #view}: for values of which layers have different shares. Its view is one column
     * wide.
     */
    public View growingSlot() {
        return slot(1);
    }

    /** The first {@code width} columns of a {@link #growingSlot}. */
    public View view(View growing, int width) {
        slots.set(growing.slot(), Math.max(slots.get(growing.slot()), width));
        return new View(growing.slot(), 0, width);
    }

    /** A new slot for the logits of the wanted rows, see {@link Program#logits}: the program yields them. */
    public View logits(int vocabulary) {
        logits = slot(vocabulary);
        return logits;
    }

    /** A new cache of rows of {@code width} values; returns its index. */
    public int cache(int width) {
        return cache(width, 0);
    }

    /** The same for attention that sees {@code window} rows at most; 0 for all. */
    public int cache(int width, int window) {
        caches.add(new Cache.Rows(width, window));
        return caches.size() - 1;
    }

    /** A new state of {@code width} values; returns its index. */
    public int state(int width) {
        caches.add(new Cache.State(width));
        return caches.size() - 1;
    }

    /** Makes {@code weight} known as {@code name} and returns the name, for use in an op. */
    public String weight(String name, Weight weight) {
        Weight before = weights.putIfAbsent(name, weight);
        if (before != null && !before.equals(weight)) {
            throw new IllegalArgumentException("two different weights are named " + name);
        }
        return name;
    }

    public ProgramBuilder op(Op op) {
        ops.add(op);
        return this;
    }

    /** How many ops there are so far; the next one has this index. */
    public int size() {
        return ops.size();
    }

    /** Puts {@code op} before the one that has {@code index} now. */
    public ProgramBuilder insert(int index, Op op) {
        ops.add(index, op);
        return this;
    }

    public Program build(View input, View output) {
        return new Program(name, hidden, slots, input, output, logits, ops, weights, caches);
    }
}
