package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.List;
import org.espalier.weights.Piece;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/** Converts a file's dimensions to shapes of {@link Weight}s. */
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

    static int columns(List<Integer> shape) {
        return shape.get(shape.size() - 1);
    }

    /**
     * The last dimension is the columns, the one before it the rows; a vector has one row, and all outer dimensions are one stack.
     *
     * @param first its first matrix; the others follow
     */
    static Weight weight(List<Integer> shape, WeightFormat format, Piece first) {
        int rows = shape.size() < 2 ? 1 : shape.get(shape.size() - 2);
        int count = 1;
        for (int outer : shape.subList(0, Math.max(0, shape.size() - 2))) {
            count *= outer;
        }
        return Weight.stack(rows, columns(shape), format, first, count);
    }
}
