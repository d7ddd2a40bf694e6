package org.espalier.program;

import java.util.List;
import java.util.stream.Stream;

/**
 * The weights of a gated MLP, or of all experts of a layer: down (activation(gate x, up x)).
 *
 * @param gate [width, D]
 * @param up [width, D]
 * @param down [D, width]
 */
public record GatedUnit(Projection gate, Projection up, Projection down, Activation activation) {

    /** Without biases. */
    public static GatedUnit of(String gate, String up, String down, Activation activation) {
        return new GatedUnit(Projection.of(gate), Projection.of(up), Projection.of(down), activation);
    }

    List<String> weights() {
        return Stream.of(gate, up, down)
                .flatMap(projection -> projection.weights().stream())
                .toList();
    }
}
