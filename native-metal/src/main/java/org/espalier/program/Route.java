package org.espalier.program;

import java.util.ArrayList;
import java.util.List;

/**
 * Chooses experts for each row, for the {@link Experts} of the same layer. Computed in float32 from float rows in every precision.
 *
 * @param layer the checkpoint's layer index, for the trace and for router edits
 * @param in [T, D]
 * @param gate [E, D]; its bias is part of the scores
 * @param correctionBias [1, E], or null: added for the choice only
 */
public record Route(int layer, View in, Projection gate, String correctionBias, Router router) implements Op {

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
        if (correctionBias != null) {
            names.add(correctionBias);
        }
        return names;
    }

    @Override
    public void check(OpCheck check) {
        check.that(layer >= 0, "routes layer " + layer);
        check.projection(gate, router.experts(), in.width(), 1);
        if (correctionBias != null) {
            check.vector(correctionBias, router.experts(), 1);
        }
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.route(this);
    }
}
