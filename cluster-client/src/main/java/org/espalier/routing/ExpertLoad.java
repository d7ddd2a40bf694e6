package org.espalier.routing;

import java.util.List;

/**
 * How often each expert of each MoE layer was chosen over a trace, and the sum of its gate weights.
 *
 * @param layers the checkpoint's indices of the MoE layers
 * @param counts [layer][E]
 * @param weights [layer][E], sums of the gate weights
 * @param positions that were counted
 */
public record ExpertLoad(List<Integer> layers, int[][] counts, double[][] weights, int positions) {

    /** Counts the positions {@code from} to {@code to} exclusive. */
    public static ExpertLoad of(RoutingTrace trace, int from, int to) {
        int layers = trace.layers().size();
        int[][] counts = new int[layers][trace.experts()];
        double[][] weights = new double[layers][trace.experts()];
        for (int position = from; position < to; position++) {
            for (int layer = 0; layer < layers; layer++) {
                for (int place = 0; place < trace.width(); place++) {
                    int expert = trace.expert(position, layer, place);
                    if (expert >= 0) {
                        counts[layer][expert]++;
                        weights[layer][expert] += trace.weight(position, layer, place);
                    }
                }
            }
        }
        return new ExpertLoad(trace.layers(), counts, weights, to - from);
    }

    public static ExpertLoad of(RoutingTrace trace) {
        return of(trace, 0, trace.positions());
    }

    /** E, the experts of a layer. */
    public int experts() {
        return counts.length == 0 ? 0 : counts[0].length;
    }

    /** The share of the layer's choices that fell on the expert; all shares of a layer add up to 1. */
    public double share(int layer, int expert) {
        int all = 0;
        for (int count : counts[layer]) {
            all += count;
        }
        return all == 0 ? 0 : (double) counts[layer][expert] / all;
    }

    /** Experts of a layer that were never chosen. */
    public int idle(int layer) {
        int idle = 0;
        for (int count : counts[layer]) {
            idle += count == 0 ? 1 : 0;
        }
        return idle;
    }

    /** The greatest load of a layer over the mean: 1 is perfect balance, E / K the worst. */
    public double imbalance(int layer) {
        int greatest = 0;
        long all = 0;
        for (int count : counts[layer]) {
            greatest = Math.max(greatest, count);
            all += count;
        }
        return all == 0 ? 0 : (double) greatest * experts() / all;
    }

    /** Shannon entropy of a layer's load in bits; log2 E is perfect balance. */
    public double entropy(int layer) {
        double bits = 0;
        for (int expert = 0; expert < experts(); expert++) {
            double p = share(layer, expert);
            if (p > 0) {
                bits -= p * Math.log(p) / Math.log(2);
            }
        }
        return bits;
    }
}
