package org.espalier.engine.reference;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.espalier.engine.program.Weight;

/** Weights as floats, for tools that work on weights themselves. Any thread may read. */
public final class WeightReader implements AutoCloseable {

    private final Map<Path, ChannelFile> files = new ConcurrentHashMap<>();

    /**
     * @param name for errors
     * @throws org.espalier.engine.EngineException if a piece lies outside its file
     */
    public Rows open(String name, Weight weight) {
        return new Rows(new Matrix(name, weight, path -> files.computeIfAbsent(path, ChannelFile::new)));
    }

    @Override
    public void close() {
        files.values().forEach(ChannelFile::close);
    }

    /** The matrices of one weight. */
    public static final class Rows {
        private final Matrix matrix;

        private Rows(Matrix matrix) {
            this.matrix = matrix;
        }

        public Weight weight() {
            return matrix.weight();
        }

        /** Row {@code row} of matrix {@code index} into {@code out}; only where the weight is not stored transposed. */
        public void row(int index, int row, float[] out) {
            if (matrix.weight().transposed()) {
                throw new IllegalArgumentException("a transposed weight is read matrix by matrix");
            }
            matrix.decodeRow(index, row, out);
        }

        /** The stored bytes of row {@code row} of matrix {@code index}: values, then scales; each a copy. */
        public byte[][] storedRow(int index, int row) {
            return matrix.storedRow(index, row);
        }

        /** Matrix {@code index} whole, [rows][columns] as an op uses it. */
        public float[][] matrix(int index) {
            return matrix.decode(index);
        }
    }
}
