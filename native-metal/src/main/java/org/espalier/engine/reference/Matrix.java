package org.espalier.engine.reference;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.espalier.engine.EngineException;
import org.espalier.engine.program.Region;
import org.espalier.engine.program.Weight;
import org.espalier.engine.program.WeightFormat;

/** A {@link Weight} whose files are open: stored rows are turned into floats when they are needed. */
final class Matrix {

    private static final ThreadLocal<byte[][]> BYTES = ThreadLocal.withInitial(() -> new byte[3][0]);

    /** Beyond any file, and far enough from the greatest long that sums of a few such offsets do not overflow. */
    private static final long FARTHEST = 1L << 60;

    private final String name;
    private final Weight weight;
    private final Map<Path, FileBytes> files;
    private final float[][] vectors;

    /** @throws EngineException if a piece lies outside its file */
    Matrix(String name, Weight weight, Function<Path, FileBytes> open) {
        this.name = name;
        this.weight = weight;
        this.files = new HashMap<>();
        this.vectors = new float[weight.count()][];
        if (!weight.format().fits(weight.storedColumns())) {
            throw new EngineException("weight " + name + " has rows of " + weight.storedColumns() + " values, "
                    + weight.format() + " needs a multiple of "
                    + weight.format().granularity());
        }
        WeightFormat format = weight.format();
        for (Weight.Piece piece : weight.pieces()) {
            check(piece.values(), format.rowBytes(weight.storedColumns()), open);
            checkApart("scales", piece.scales(), format.scaleRowBytes(weight.storedColumns()), open);
            checkApart("biases", piece.biases(), format.biasRowBytes(weight.storedColumns()), open);
        }
    }

    private void checkApart(String what, Region region, long rowBytes, Function<Path, FileBytes> open) {
        if (rowBytes > 0 && region == null) {
            throw new EngineException("weight " + name + " is quantized but has no " + what);
        }
        if (rowBytes > 0) {
            check(region, rowBytes, open);
        }
    }

    private void check(Region region, long rowBytes, Function<Path, FileBytes> open) {
        FileBytes file = files.computeIfAbsent(region.file(), open);
        long lastRow = region.index(place(weight.storedRows() - 1));
        if (lastRow > 0 && region.rowBytes() < rowBytes) {
            throw new EngineException("weight " + name + " has rows of " + rowBytes + " bytes, " + region.rowBytes()
                    + " apart in " + file);
        }
        if (region.offset() > FARTHEST || lastRow > 0 && region.rowBytes() > FARTHEST / lastRow) {
            throw new EngineException("weight " + name + " reaches beyond any file: " + (lastRow + 1) + " rows, "
                    + region.rowBytes() + " bytes apart, from byte " + region.offset() + " of " + file);
        }
        long end = region.offset() + lastRow * region.rowBytes() + rowBytes;
        if (region.offset() < 0 || end > file.size()) {
            throw new EngineException("weight " + name + " lies at bytes " + region.offset() + " to " + end + " of "
                    + file + ", which has " + file.size() + ": the file is cut off");
        }
    }

    Weight weight() {
        return weight;
    }

    /** Stored row {@code row} of matrix {@code index}, into out[storedColumns]. */
    void decodeRow(int index, int row, float[] out) {
        byte[][] bytes = fetchRow(index, row);
        RowDecoder.decode(weight.format(), bytes[0], bytes[1], bytes[2], weight.storedColumns(), out);
    }

    /** Whether {@link #dotRow} knows the format. */
    boolean hasDot() {
        return RowDot.has(weight.format());
    }

    /** Stored row {@code row} of matrix {@code index} times x[at ...], without writing the row's floats anywhere. */
    float dotRow(int index, int row, float[] x, int at) {
        return RowDot.dot(weight.format(), fetchRow(index, row), weight.storedColumns(), x, at);
    }

    /** Copies of the stored values and scales of row {@code row}. */
    byte[][] storedRow(int index, int row) {
        byte[][] bytes = fetchRow(index, row);
        WeightFormat format = weight.format();
        return new byte[][] {
            Arrays.copyOf(bytes[0], (int) format.rowBytes(weight.storedColumns())),
            Arrays.copyOf(bytes[1], (int) format.scaleRowBytes(weight.storedColumns()))
        };
    }

    /** The row's bytes: values, scales, biases. */
    private byte[][] fetchRow(int index, int row) {
        Weight.Piece piece = weight.pieces().get(index);
        long stored = place(row);
        int columns = weight.storedColumns();
        byte[][] bytes = BYTES.get();
        bytes[0] = fetch(piece.values(), stored, weight.format().rowBytes(columns), bytes[0]);
        bytes[1] = fetch(piece.scales(), stored, weight.format().scaleRowBytes(columns), bytes[1]);
        bytes[2] = fetch(piece.biases(), stored, weight.format().biasRowBytes(columns), bytes[2]);
        return bytes;
    }

    /** Where in the region stored row {@code row} lies. */
    private long place(int row) {
        return weight.transposed() ? row : weight.firstRow() + (long) row * weight.rowStep();
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

    /** Matrix {@code index} whole, [rows][columns] as the op uses it: turned round where it is stored transposed. */
    float[][] decode(int index) {
        float[][] stored = new float[weight.storedRows()][weight.storedColumns()];
        for (int row = 0; row < stored.length; row++) {
            decodeRow(index, row, stored[row]);
        }
        if (!weight.transposed()) {
            return stored;
        }
        float[][] turned = new float[weight.rows()][weight.columns()];
        for (int row = 0; row < turned.length; row++) {
            for (int column = 0; column < turned[row].length; column++) {
                turned[row][column] = stored[column][weight.firstRow() + row * weight.rowStep()];
            }
        }
        return turned;
    }

    /** Vector {@code index}: a weight of one row or one column, small enough to be kept. The thread that runs steps calls it. */
    float[] vector(int index) {
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
