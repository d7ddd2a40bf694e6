package org.espalier.routing;

import java.util.Arrays;
import java.util.List;
import org.espalier.EspalierException;
import tech.tablesaw.api.Table;

/**
 * The ordered routing decisions of one generation: for every position that was computed and every layer with experts the chosen ones and
 * their weights. Layers are numbered as in the checkpoint, everywhere; one without experts is an error that names those that have some.
 */
public final class RoutingTrace {

    private final MoeLayers layers;
    private final int experts;
    private final int width;
    private final String model;
    private final String prompt;
    private final List<String> tokens;
    private int positions;
    private short[] ids = new short[0];
    private float[] weights = new float[0];

    /**
     * An empty trace.
     *
     * @param layers the checkpoint's indices of the layers with experts, ascending
     * @param experts E
     * @param width K, or more where a generation asked for more experts in a layer
     */
    public RoutingTrace(List<Integer> layers, int experts, int width) {
        this(new MoeLayers(layers), experts, width, "", "", List.of());
    }

    private RoutingTrace(MoeLayers layers, int experts, int width, String model, String prompt, List<String> tokens) {
        this.layers = layers;
        this.experts = experts;
        this.width = width;
        this.model = model;
        this.prompt = prompt;
        this.tokens = List.copyOf(tokens);
    }

    /**
     * The same decisions, and what they belong to.
     *
     * @param prompt in short, for titles
     * @param tokens their texts by position; empty where the model has no tokenizer
     */
    public RoutingTrace named(String model, String prompt, List<String> tokens) {
        RoutingTrace named = new RoutingTrace(layers, experts, width, model, prompt, tokens);
        named.positions = positions;
        named.ids = ids;
        named.weights = weights;
        return named;
    }

    /** Appends the decisions of one position: [layer][width], expert -1 where fewer were chosen. */
    public void append(short[] positionIds, float[] positionWeights) {
        int stride = layers.count() * width;
        if (positionIds.length != stride || positionWeights.length != stride) {
            throw new IllegalArgumentException(
                    "a position has " + layers.count() + " layers x " + width + " = " + stride + " decisions, found "
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

    /** The checkpoint's indices of the layers with experts, ascending. */
    public List<Integer> layers() {
        return layers.indices();
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

    /** The model's name; empty if it was not said. */
    public String model() {
        return model;
    }

    /** The prompt, in short. */
    public String prompt() {
        return prompt;
    }

    /** The text of a position's token; empty where the model has no tokenizer. */
    public String token(int position) {
        checkPosition(position);
        return position < tokens.size() ? tokens.get(position) : "";
    }

    /**
     * The expert that was chosen, or -1 where fewer were.
     *
     * @param layer the checkpoint's index
     * @param place 0 to width - 1, in order of descending choice score
     * @throws EspalierException if the layer has no experts
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

    /** Model and prompt, for a chart. */
    public String title() {
        return model + (model.isEmpty() || prompt.isEmpty() ? "" : ", ") + prompt;
    }

    @Override
    public String toString() {
        return "routing" + (title().isEmpty() ? "" : " of " + title()) + ": " + positions + " positions, layers "
                + layers + ", " + width + " of " + experts + " experts each";
    }

    MoeLayers moeLayers() {
        return layers;
    }

    private int index(int position, int layer, int place) {
        checkPosition(position);
        if (place < 0 || place >= width) {
            throw new EspalierException("there are places 0 to " + (width - 1) + ", asked for " + place);
        }
        return (position * layers.count() + layers.row(layer)) * width + place;
    }

    private void checkPosition(int position) {
        if (position < 0 || position >= positions) {
            throw new EspalierException("there are positions 0 to " + (positions - 1) + ", asked for " + position);
        }
    }
}
