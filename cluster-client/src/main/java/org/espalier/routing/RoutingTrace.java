package org.espalier.routing;

import java.util.Arrays;
import java.util.List;
import tech.tablesaw.api.Table;

/**
 * The ordered routing decisions of one sequence: for every position that was computed and every MoE layer the chosen experts and
 * their weights.
 */
public final class RoutingTrace {

    private final List<Integer> layers;
    private final int experts;
    private final int width;
    private int positions;
    private short[] ids = new short[0];
    private float[] weights = new float[0];

    /**
     * @param layers the checkpoint's indices of the MoE layers, ascending
     * @param experts E
     * @param width K, or more where a generation asked for more experts in a layer
     */
    public RoutingTrace(List<Integer> layers, int experts, int width) {
        this.layers = List.copyOf(layers);
        this.experts = experts;
        this.width = width;
    }

    /** Appends the decisions of one position: [layer][width], expert -1 where fewer were chosen. */
    public void append(short[] positionIds, float[] positionWeights) {
        int stride = layers.size() * width;
        if (positionIds.length != stride || positionWeights.length != stride) {
            throw new IllegalArgumentException(
                    "a position has " + layers.size() + " layers x " + width + " = " + stride + " decisions, found "
                            + positionIds.length + " experts and " + positionWeights.length + " weights");
        }
        int end = (positions + 1) * stride;
        if (ids.length < end) {
            ids = Arrays.copyOf(ids, Math.max(end, 2 * ids.length));
            weights = Arrays.copyOf(weights, ids.length);
        }
        System.arraycopy(positionIds, 0, ids, positions * stride, stride);
        System.arraycopy(positionWeights, 0, weights, positions * stride, stride);
        positions++;
    }

    public List<Integer> layers() {
        return layers;
    }

    /** E, the experts of a layer. */
    public int experts() {
        return experts;
    }

    /** Choices recorded for each position and layer: K, or more if a generation asked for more in a layer. */
    public int width() {
        return width;
    }

    /** Positions recorded so far. */
    public int positions() {
        return positions;
    }

    /**
     * @param layer index into {@link #layers()}, not the checkpoint's
     * @param place 0 to width - 1, in order of descending choice score
     */
    public int expert(int position, int layer, int place) {
        return ids[index(position, layer, place)];
    }

    /** The factor of that expert's output, after normalisation and scaling. */
    public float weight(int position, int layer, int place) {
        return weights[index(position, layer, place)];
    }

    /** How often each expert was chosen, over all positions. */
    public ExpertLoad load() {
        return ExpertLoad.of(this);
    }

    /** One row a decision, see {@link RoutingTables#decisions}. */
    public Table table() {
        return RoutingTables.decisions(this);
    }

    private int index(int position, int layer, int place) {
        if (position < 0 || position >= positions) {
            throw new IndexOutOfBoundsException("position " + position + " of " + positions);
        }
        return (position * layers.size() + layer) * width + place;
    }
}
