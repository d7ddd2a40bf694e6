package org.espalier.engine.program;

import java.util.List;

/**
 * A named matrix, or {@code count} matrices of one shape (experts, heads), where it lies in the checkpoint's files. An engine maps
 * or reads exactly these bytes.
 *
 * <p>{@code rows x columns} is always the shape that the op multiplies with, y[rows] = W[rows, columns] x[columns]. Row i of the matrix
 * is row {@code firstRow + i * rowStep} of what is stored (gpt-oss interleaves gate and up). With {@code transposed} the stored rows
 * are the matrix's columns, and row i is the stored column {@code firstRow + i * rowStep}.
 *
 * @param rows of the matrix as the op uses it
 * @param columns of the matrix as the op uses it
 * @param pieces one for each matrix; their number is the count
 */
public record Weight(
        int rows, int columns, WeightFormat format, boolean transposed, int firstRow, int rowStep, List<Piece> pieces) {

    public Weight {
        pieces = List.copyOf(pieces);
        if (rows <= 0 || columns <= 0 || firstRow < 0 || rowStep < 1 || pieces.isEmpty()) {
            throw new IllegalArgumentException("not a weight: " + pieces.size() + " pieces of " + rows + " x " + columns
                    + ", first row " + firstRow + ", row step " + rowStep);
        }
    }

    /** One matrix whose rows are stored one after the other. */
    public static Weight matrix(int rows, int columns, WeightFormat format, Piece piece) {
        return new Weight(rows, columns, format, false, 0, 1, List.of(piece));
    }

    /** Matrices of one shape, for instance a layer's experts. */
    public static Weight matrices(int rows, int columns, WeightFormat format, List<Piece> pieces) {
        return new Weight(rows, columns, format, false, 0, 1, pieces);
    }

    public int count() {
        return pieces.size();
    }

    /** Stored rows that hold the matrix. */
    public int storedRows() {
        return transposed ? columns : rows;
    }

    /** Values of a stored row up to the last that the matrix needs. */
    public int storedColumns() {
        return transposed ? firstRow + (rows - 1) * rowStep + 1 : columns;
    }

    /** Bytes of values, scales and biases that an engine has to keep. */
    public long bytes() {
        int columnsKept = transposed ? rows : columns;
        long values = format.rowBytes(columnsKept) * storedRows() * count();
        long biases = format.biasRowBytes(columnsKept) * storedRows() * count();
        long scaleRow = format.scaleRowBytes(columnsKept);
        long scales = 0;
        for (Piece piece : scaleRow == 0 ? List.<Piece>of() : pieces) {
            scales += scaleRow * (1 + piece.scales().index(storedRows() - 1L));
        }
        return values + scales + biases;
    }

    /**
     * Columns {@code from} to {@code from + count}: of each row only these bytes are read.
     *
     * @throws IllegalArgumentException if they do not fall on whole groups or blocks, or the weight is transposed
     */
    public Weight columns(int from, int count) {
        boolean whole = from % format.granularity() == 0 && count % format.granularity() == 0;
        if (transposed || !whole || from < 0 || count <= 0 || from + count > columns) {
            throw new IllegalArgumentException("columns " + from + " to " + (from + count) + " of a weight with "
                    + columns + " columns in groups of " + format.granularity() + " cannot be sliced");
        }
        List<Piece> sliced = pieces.stream()
                .map(piece -> new Piece(
                        piece.values().skipBytes(format.rowBytes(from)),
                        piece.scales() == null ? null : piece.scales().skipBytes(format.scaleRowBytes(from)),
                        piece.biases() == null ? null : piece.biases().skipBytes(format.biasRowBytes(from))))
                .toList();
        return new Weight(rows, count, format, false, firstRow, rowStep, sliced);
    }

    /**
     * Where one matrix lies.
     *
     * @param scales null unless the format keeps scales apart
     * @param biases null unless the format keeps biases apart
     */
    public record Piece(Region values, Region scales, Region biases) {
        public static Piece of(Region values) {
            return new Piece(values, null, null);
        }
    }
}
