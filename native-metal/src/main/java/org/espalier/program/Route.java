package org.espalier.program;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Chooses experts for each row, for the {@link Experts} of the same layer. Computed in float32 from float rows in every precision.
 *
 * @param layer the checkpoint's layer index, for the trace and for router edits
 * @param in [T, D]
 * @param gate [E, D]; its bias is part of the scores
 * @param correctionBias [1, E], or null: added for the choice only
 * @param expertScale [1, E], or null: the final weights are multiplied by that of their expert (Gemma 4)
 */
public record Route(int layer, View in, Projection gate, String correctionBias, String expertScale, Router router)
        implements Op {

    /** Whose experts have no scales. */
    public Route(int layer, View in, Projection gate, String correctionBias, Router router) {
        this(layer, in, gate, correctionBias, null, router);
    }

    @Override
    public List<View> reads() {
        return List.of(in);
    }

    @Override
    public List<View> writes() {
        return List.of();
    }

    @Override
    public List<String> weights() {
        List<String> names = new ArrayList<>(gate.weights());
        Stream.of(correctionBias, expertScale).filter(Objects::nonNull).forEach(names::add);
        return names;
    }

    @Override
    public void check(OpCheck check) {
        check.that(layer >= 0, "routes layer %s", layer);
        check.projection(gate, router.experts(), in.width(), 1);
        for (String vector : weights().subList(gate.weights().size(), weights().size())) {
            check.vector(vector, router.experts(), 1);
        }
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.route(this);
    }
}
