package org.espalier.routing;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.espalier.EspalierException;

/** The layers of a model that have experts, by the checkpoint's indices: the only layer numbers that callers meet. */
final class MoeLayers {

    private final List<Integer> indices;
    private final Map<Integer, Integer> rows = new HashMap<>();

    /** @param indices ascending */
    MoeLayers(List<Integer> indices) {
        this.indices = List.copyOf(indices);
        this.indices.forEach(layer -> rows.put(layer, rows.size()));
    }

    List<Integer> indices() {
        return indices;
    }

    int count() {
        return indices.size();
    }

    /**
     * Where a layer stands among those with experts.
     *
     * @throws EspalierException naming the layers that have experts if this one has none
     */
    int row(int layer) {
        Integer row = rows.get(layer);
        if (row == null) {
            throw new EspalierException("layer " + layer + " has no experts: those with experts are " + this);
        }
        return row;
    }

    /** "1 to 7", or one by one where some between them have none. */
    @Override
    public String toString() {
        int last = count() - 1;
        boolean consecutive = last > 0 && indices.get(last) - indices.get(0) == last;
        return consecutive
                ? indices.get(0) + " to " + indices.get(last)
                : indices.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
}
