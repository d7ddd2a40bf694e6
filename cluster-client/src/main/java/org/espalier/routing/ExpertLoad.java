package org.espalier.routing;

import java.util.Arrays;
import java.util.List;
import org.espalier.EspalierException;

/**
 * How often each expert of each layer was chosen over a trace, and the sum of its gate weights. Layers are numbered as in the checkpoint;
 * one without experts is an error that names those that have some.
 */
public final class ExpertLoad {

    private final MoeLayers layers;
    private final int experts;
    private final int[][] counts; // [layer][E]
    private final double[][] weights; // [layer][E]
    private final int from;
    private final int to;
    private final String title;

    private ExpertLoad(RoutingTrace trace, int from, int to) {
        this.layers = trace.moeLayers();
        this.experts = trace.experts();
        this.counts = new int[layers.count()][experts];
        this.weights = new double[layers.count()][experts];
        this.from = from;
        this.to = to;
        this.title = trace.title();
    }

    /** Counts the positions {@code from} to {@code to} exclusive. */
    public static ExpertLoad of(RoutingTrace trace, int from, int to) {
        ExpertLoad load = new ExpertLoad(trace, from, to);
        for (int position = from; position < to; position++) {
            for (int row = 0; row < load.layers.count(); row++) {
                int layer = load.layers().get(row);
                for (int place = 0; place < trace.width(); place++) {
                    int expert = trace.expert(position, layer, place);
                    if (expert >= 0) {
                        load.counts[row][expert]++;
                        load.weights[row][expert] += trace.weight(position, layer, place);
                    }
                }
            }
        }
        return load;
    }

    public static ExpertLoad of(RoutingTrace trace) {
        return of(trace, 0, trace.positions());
    }

    /** The checkpoint's indices of the layers with experts, ascending. */
    public List<Integer> layers() {
        return layers.indices();
    }

    /** E, the experts of a layer. */
    public int experts() {
        return experts;
    }

    /** How many positions were counted. */
    public int positions() {
        return to - from;
    }

    /** Model, prompt and positions, for a chart. */
    public String title() {
        String which = positions() == 0 ? "no positions" : "positions " + from + " to " + (to - 1);
        return title.isEmpty() ? which : title + ", " + which;
    }

    /** How often each expert of a layer was chosen: [E]. */
    public int[] counts(int layer) {
        return counts[layers.row(layer)].clone();
    }

    /** The sum of each expert's gate weights: [E]. */
    public double[] weights(int layer) {
        return weights[layers.row(layer)].clone();
    }

    /** How often an expert was chosen. */
    public int count(int layer, int expert) {
        return counts[layers.row(layer)][checked(layer, expert)];
    }

    /** The mean gate weight of an expert where it was chosen; 0 if it never was. */
    public double weight(int layer, int expert) {
        int count = count(layer, expert);
        return count == 0 ? 0 : weights[layers.row(layer)][expert] / count;
    }

    /** The share of the layer's choices that fell on the expert; all shares of a layer add up to 1. */
    public double share(int layer, int expert) {
        int count = count(layer, expert);
        long all = all(layer);
        return all == 0 ? 0 : (double) count / all;
    }

    /** Experts of a layer that were never chosen. */
    public int idle(int layer) {
        return (int) Arrays.stream(counts[layers.row(layer)])
                .filter(count -> count == 0)
                .count();
    }

    /** The greatest load of a layer over the mean: 1 is perfect balance, E / K the worst. */
    public double imbalance(int layer) {
        int greatest = Arrays.stream(counts[layers.row(layer)]).max().orElse(0);
        long all = all(layer);
        return all == 0 ? 0 : (double) greatest * experts / all;
    }

    /** Shannon entropy of a layer's load in bits; log2 E is perfect balance. */
    public double entropy(int layer) {
        double bits = 0;
        for (int expert = 0; expert < experts; expert++) {
            double p = share(layer, expert);
            if (p > 0) {
                bits -= p * Math.log(p) / Math.log(2);
            }
        }
        return bits;
    }

    @Override
    public String toString() {
        return "expert load of " + title() + ": layers " + layers + ", " + experts + " experts each";
    }

    private long all(int layer) {
        return Arrays.stream(counts[layers.row(layer)]).asLongStream().sum();
    }

    private int checked(int layer, int expert) {
        if (expert < 0 || expert >= experts) {
            throw new EspalierException(
                    "layer " + layer + " has experts 0 to " + (experts - 1) + ", asked for " + expert);
        }
        return expert;
    }
}
