package org.espalier.weights;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** A {@link Weight} whose files are open: stored rows become floats when they are needed. Any thread may read. */
public final class Matrix {

    private static final ThreadLocal<StoredRow> ROW = ThreadLocal.withInitial(StoredRow::new);

    private final Weight weight;
    private final Piece[] pieces;
    private final Map<Path, FileBytes> files;
    private final float[][] vectors;

    /** @param files every file of the weight, which {@link WeightCheck} has seen */
    Matrix(Weight weight, Map<Path, FileBytes> files) {
        this.weight = weight;
        this.files = files;
        this.pieces = new Piece[weight.count()];
        for (int index = 0; index < pieces.length; index++) {
            pieces[index] = weight.pieces().get(index);
        }
        this.vectors = new float[weight.count()][];
    }

    public Weight weight() {
        return weight;
    }

    /** Stored row {@code row} of matrix {@code index}, into out[storedColumns]. */
    public void decodeRow(int index, int row, float[] out) {
        weight.format().decode(fetch(index, row), weight.storedColumns(), out);
    }

    /** Whether {@link #dotRow} knows the format. */
    public boolean hasDot() {
        return weight.format().hasDot();
    }

    /** Stored row {@code row} of matrix {@code index} times x[at ...], without writing the row's floats anywhere. */
    public float dotRow(int index, int row, float[] x, int at) {
        return weight.format().dot(fetch(index, row), weight.storedColumns(), x, at);
    }

    /** Copies of the stored values and scales of row {@code row}. */
    public byte[][] storedRow(int index, int row) {
        StoredRow bytes = fetch(index, row);
        WeightFormat format = weight.format();
        return new byte[][] {
            Arrays.copyOf(bytes.values, (int) format.rowBytes(weight.storedColumns())),
            Arrays.copyOf(bytes.scales, (int) format.scaleRowBytes(weight.storedColumns()))
        };
    }

    private StoredRow fetch(int index, int row) {
        Piece piece = pieces[index];
        long stored = weight.storedRow(row);
        int columns = weight.storedColumns();
        StoredRow bytes = ROW.get();
        bytes.values = fetch(piece.values(), stored, weight.format().rowBytes(columns), bytes.values);
        bytes.scales = fetch(piece.scales(), stored, weight.format().scaleRowBytes(columns), bytes.scales);
        bytes.biases = fetch(piece.biases(), stored, weight.format().biasRowBytes(columns), bytes.biases);
        return bytes;
    }

    private byte[] fetch(Region region, long row, long length, byte[] buffer) {
        if (length == 0) {
            return buffer;
        }
        byte[] into = buffer.length < length ? new byte[(int) length] : buffer;
        long offset = region.offset() + region.index(row) * region.rowBytes();
        files.get(region.file()).read(offset, into, (int) length);
        return into;
    }

    /**
     * Reads every row once, so that its pages are in memory.
     *
     * @param between runs before each matrix; whatever it throws ends the reading
     */
    public void touch(Runnable between) {
        for (int index = 0; index < weight.count(); index++) {
            between.run();
            for (int row = 0; row < weight.storedRows(); row++) {
                fetch(index, row);
            }
        }
    }

    /** Matrix {@code index} whole, [rows][columns] as the op uses it, also where it is stored transposed. */
    public float[][] decode(int index) {
        float[][] stored = new float[weight.storedRows()][weight.storedColumns()];
        for (int row = 0; row < stored.length; row++) {
            decodeRow(index, row, stored[row]);
        }
        if (!weight.transposed()) {
            return stored;
        }
        float[][] matrix = new float[weight.rows()][weight.columns()];
        for (int row = 0; row < matrix.length; row++) {
            for (int column = 0; column < matrix[row].length; column++) {
                matrix[row][column] = stored[column][weight.firstRow() + row * weight.rowStep()];
            }
        }
        return matrix;
    }

    /** Vector {@code index}: a weight of one row or one column, small enough to be kept. The thread that runs steps calls it. */
    public float[] vector(int index) {
        if (vectors[index] == null) {
            float[][] rows = decode(index);
            float[] all = new float[rows.length * rows[0].length];
            for (int row = 0; row < rows.length; row++) {
                System.arraycopy(rows[row], 0, all, row * rows[row].length, rows[row].length);
            }
            vectors[index] = all;
        }
        return vectors[index];
    }
}
