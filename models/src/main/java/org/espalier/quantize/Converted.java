package org.espalier.quantize;

import java.util.List;
import org.espalier.weights.Weight;

/** What becomes of one tensor, or of the tensors of all experts of a layer. */
sealed interface Converted {

    /** In the new checkpoint, without {@code .weight} for quantized ones. */
    String name();

    Weight source();

    /** Outermost dimension first, of unpacked values. */
    List<Integer> shape();

    /**
     * {@code name.weight}, {@code name.scales} and {@code name.biases}.
     *
     * @param type of scales and biases; values are rounded to it before they are quantized
     */
    record Quantized(String name, Weight source, List<Integer> shape, AffineGroups groups, FloatType type)
            implements Converted {}

    /** 4-bit floats that are quantized already, their rows in a new order: {@code name.weight} and {@code name.scales}. */
    record Repacked(String name, Weight source, List<Integer> shape) implements Converted {}

    /**
     * The same values in one type of float.
     *
     * @param plus what is added to each, after it was rounded to the type
     */
    record Plain(String name, Weight source, List<Integer> shape, FloatType type, float plus) implements Converted {

        Plain(String name, Weight source, List<Integer> shape, FloatType type) {
            this(name, source, shape, type, 0);
        }
    }
}
