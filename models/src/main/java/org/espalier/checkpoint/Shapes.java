package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.List;

/** Brings a file's dimensions into the range that {@link Tensor} counts in. */
final class Shapes {
    private Shapes() {}

    /**
     * A scalar becomes a vector of one value.
     *
     * @param what names file and tensor in errors
     */
    static List<Integer> of(String what, List<Long> dimensions) {
        if (dimensions.isEmpty()) {
            return List.of(1);
        }
        List<Integer> shape = new ArrayList<>();
        long matrices = 1;
        for (int i = 0; i < dimensions.size(); i++) {
            long dimension = dimensions.get(i);
            if (dimension <= 0 || dimension > Integer.MAX_VALUE) {
                throw new CheckpointException(
                        what + " has the shape " + dimensions + ", expected dimensions from 1 to " + Integer.MAX_VALUE);
            }
            shape.add((int) dimension);
            matrices *= i < dimensions.size() - 2 ? dimension : 1;
            if (matrices > Integer.MAX_VALUE) {
                throw new CheckpointException(what + " has the shape " + dimensions + ": too many matrices");
            }
        }
        return shape;
    }
}
