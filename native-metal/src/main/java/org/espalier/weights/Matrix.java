package org.espalier.weights;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** A {@link Weight} whose files are open: stored rows become floats when they are needed. Any thread may read. */
public final class Matrix {

    private static final ThreadLocal<StoredRow> ROW = ThreadLocal.withInitial(StoredRow::new);

    private final String name;
    /** As it is read: once copied, without what lay between its columns. */
    private Weight weight;

    private final Piece[] pieces;
    private final Map<Path, FileBytes> files;
    private final float[][] vectors;
    /** By matrix; null where the weight is read in place. */
    private Copy[] copies;

    /** One matrix in memory. */
    private record Copy(RowsCopy values, RowsCopy scales, RowsCopy biases) {}

    /**
     * @param name for errors
     * @param files every file of the weight, which {@link WeightCheck} has seen
     */
    Matrix(String name, Weight weight, Map<Path, FileBytes> files) {
        this.name = name;
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
        Copy copy = copies == null ? null : copies[index];
        long stored = weight.storedRow(row);
        int columns = weight.storedColumns();
        StoredRow bytes = ROW.get();
        WeightFormat format = weight.format();
        bytes.values = fetch(
                copy == null ? null : copy.values, piece.values(), stored, format.rowBytes(columns), bytes.values);
        bytes.scales = fetch(
                copy == null ? null : copy.scales, piece.scales(), stored, format.scaleRowBytes(columns), bytes.scales);
        bytes.biases = fetch(
                copy == null ? null : copy.biases, piece.biases(), stored, format.biasRowBytes(columns), bytes.biases);
        return bytes;
    }

    private byte[] fetch(RowsCopy copy, Region region, long row, long length, byte[] buffer) {
        if (length == 0) {
            return buffer;
        }
        byte[] into = buffer.length < length ? new byte[(int) length] : buffer;
        if (copy == null) {
            read(region, region.index(row), into, (int) length);
        } else {
            copy.read(row, into);
        }
        return into;
    }

    private void read(Region region, long index, byte[] into, int length) {
        files.get(region.file()).read(region.offset() + index * region.rowBytes(), into, length);
    }

    /**
     * Copies its rows into memory and reads them there from then on: for a weight that is {@link Weight#isPartOfRows}.
     *
     * @param between runs before each matrix; whatever it throws ends the copying
     */
    public void copy(Runnable between) {
        Weight kept = weight.interleaved()
                ? new Weight(weight.rows(), weight.columns(), weight.format(), true, 0, 1, weight.pieces())
                : weight;
        WeightFormat format = weight.format();
        int columns = kept.storedColumns();
        Copy[] all = new Copy[weight.count()];
        for (int index = 0; index < all.length; index++) {
            between.run();
            Piece piece = pieces[index];
            all[index] = new Copy(
                    copy(piece.values(), format.rowBytes(columns)),
                    copy(piece.scales(), format.scaleRowBytes(columns)),
                    copy(piece.biases(), format.biasRowBytes(columns)));
        }
        copies = all;
        weight = kept;
    }

    private RowsCopy copy(Region region, long rowBytes) {
        RowsCopy.Source whole = (index, row) -> read(region, index, row, row.length);
        return new RowsCopy(name, weight, region, rowBytes, weight.interleaved() ? every(region) : whole);
    }

    /** Every {@code rowStep}-th value of a stored row; values that interleave are plain. */
    private RowsCopy.Source every(Region region) {
        byte[] all = new byte[(int) weight.format().rowBytes(weight.storedColumns())];
        int value = (int) weight.format().rowBytes(1);
        Weight whole = weight;
        return (index, row) -> {
            read(region, index, all, all.length);
            for (int i = 0; i < whole.rows(); i++) {
                System.arraycopy(all, (whole.firstRow() + i * whole.rowStep()) * value, row, i * value, value);
            }
        };
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
