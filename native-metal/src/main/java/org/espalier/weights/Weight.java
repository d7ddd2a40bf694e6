package org.espalier.weights;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A named matrix, or {@code count} matrices of one shape (experts, heads), where it lies in the checkpoint's files. An engine maps
 * or reads exactly these bytes.
 *
 * <p>{@code rows x columns} is always the shape that the op multiplies with, y[rows] = W[rows, columns] x[columns]. Row i of the matrix
 * is row {@code firstRow + i * rowStep} of what is stored (gpt-oss interleaves gate and up). With {@code transposed} the stored rows
 * are the matrix's columns, and row i is the stored column {@code firstRow + i * rowStep}. Where rows come in blocks (Qwen3-Next stores, head by
 * head, the rows of a query and those of its gate), {@code rowStep} leads from block to block: row i is stored row {@code firstRow +
 * i / rowBlock * rowStep + i % rowBlock}.
 *
 * @param rows of the matrix as the op uses it
 * @param columns of the matrix as the op uses it
 * @param rowBlock 1 unless rows come in blocks, which are not stored transposed
 */
public record Weight(
        int rows,
        int columns,
        WeightFormat format,
        boolean transposed,
        int firstRow,
        int rowBlock,
        int rowStep,
        Pieces pieces) {

    public Weight {
        boolean beyond = transposed && firstRow + (rows - 1L) * rowStep >= Integer.MAX_VALUE; // of stored columns
        boolean blocks = rowBlock == 1 || !transposed && rowBlock > 1 && rows % rowBlock == 0 && rowStep >= rowBlock;
        if (rows <= 0 || columns <= 0 || firstRow < 0 || rowStep < 1 || !blocks || beyond) {
            throw new IllegalArgumentException("not a weight: " + rows + " x " + columns + ", first row " + firstRow
                    + (rowBlock == 1 ? "" : ", blocks of " + rowBlock) + ", row step " + rowStep);
        }
    }

    /** Rows that do not come in blocks. */
    public Weight(
            int rows, int columns, WeightFormat format, boolean transposed, int firstRow, int rowStep, Pieces pieces) {
        this(rows, columns, format, transposed, firstRow, 1, rowStep, pieces);
    }

    /** One matrix whose rows are stored one after the other. */
    public static Weight matrix(int rows, int columns, WeightFormat format, Piece piece) {
        return new Weight(rows, columns, format, false, 0, 1, new Pieces.Stack(piece, rows, 1));
    }

    /** Matrices of one shape that lie apart, for instance a layer's experts in tensors of their own. */
    public static Weight matrices(int rows, int columns, WeightFormat format, List<Piece> pieces) {
        return new Weight(rows, columns, format, false, 0, 1, new Pieces.Apart(pieces));
    }

    /** {@code count} matrices of one shape one after the other, without rows between them. */
    public static Weight stack(int rows, int columns, WeightFormat format, Piece first, int count) {
        return new Weight(rows, columns, format, false, 0, 1, new Pieces.Stack(first, rows, count));
    }

    public int count() {
        return pieces.count();
    }

    /** Stored rows that hold the matrix. */
    public int storedRows() {
        return transposed ? columns : rows;
    }

    /** Values of a stored row up to the last that the matrix needs. */
    public int storedColumns() {
        return transposed ? firstRow + (rows - 1) * rowStep + 1 : columns;
    }

    /** Where in a piece stored row {@code row} of a matrix lies, counted in the file's rows. */
    public long storedRow(int row) {
        return transposed ? row : firstRow + (long) row / rowBlock * rowStep + row % rowBlock;
    }

    /**
     * The rows of every {@code step} from {@code from} on, {@code block} of them each time: for instance the queries of a projection that has,
     * head by head, the rows of a query and those of its gate.
     *
     * @throws IllegalArgumentException unless the weight is stored row by row and has whole steps
     */
    public Weight rowBlocks(int from, int block, int step) {
        if (transposed
                || rowBlock != 1
                || rowStep != 1
                || from < 0
                || block < 1
                || from + block > step
                || rows % step != 0) {
            throw new IllegalArgumentException("blocks of " + block + " rows from " + from + " on, every " + step
                    + ", cannot be taken of a weight with " + rows + " rows");
        }
        return new Weight(rows / step * block, columns, format, false, firstRow + from, block, step, pieces);
    }

    /** Bytes of values, scales and biases that an engine has to keep. */
    public long bytes() {
        int columnsKept = transposed ? rows : columns;
        long values = format.rowBytes(columnsKept) * storedRows() * count();
        long biases = format.biasRowBytes(columnsKept) * storedRows() * count();
        long scaleRow = format.scaleRowBytes(columnsKept);
        return values + biases + (scaleRow == 0 ? 0 : scaleRow * scaleRows());
    }

    private long scaleRows() {
        if (pieces.get(0).scales().sharedBy() == 1) {
            return (long) storedRows() * count();
        }
        return IntStream.range(0, count())
                .mapToObj(index -> pieces.get(index).scales())
                .mapToLong(scales -> scales.index(storedRow(storedRows() - 1)) - scales.index(storedRow(0)) + 1)
                .sum();
    }

    /** Only the matrices {@code indices}, in this order. */
    public Weight pick(List<Integer> indices) {
        return new Weight(rows, columns, format, transposed, firstRow, rowBlock, rowStep, pieces.pick(indices));
    }

    /**
     * Columns that a slice by columns must begin at a multiple of, and end at, but for the last: 1, a group or block, or 1 where the columns are
     * stored rows.
     */
    public int columnUnit() {
        return transposed ? 1 : format.granularity();
    }

    /**
     * Columns {@code from} to {@code from + count}: of each row only these bytes are read.
     *
     * @throws IllegalArgumentException if they do not fall on whole groups or blocks
     */
    public Weight columns(int from, int count) {
        int unit = columnUnit();
        boolean inside = from >= 0 && count > 0 && from + count <= columns;
        boolean whole = from % unit == 0 && (count % unit == 0 || from + count == columns);
        if (!inside || !whole) {
            throw new IllegalArgumentException("columns " + from + " to " + (from + count) + " of a weight with "
                    + columns + " columns in groups of " + unit + " cannot be sliced");
        }
        if (count == columns) {
            return this;
        }
        Pieces sliced = pieces.each(piece -> transposed ? piece.skipRows(from) : piece.skipColumns(format, from));
        return new Weight(rows, count, format, transposed, firstRow, rowBlock, rowStep, sliced);
    }

    /**
     * Rows {@code from} to {@code from + count} of each matrix: of a stack only these are read, where they are stored columns from the group on
     * that has the first.
     *
     * @throws IllegalArgumentException if they leave the matrix, or begin or end within a block
     */
    public Weight rows(int from, int count) {
        if (from < 0 || count <= 0 || from + count > rows || from % rowBlock != 0 || count % rowBlock != 0) {
            String blocks = rowBlock == 1 ? "" : " in blocks of " + rowBlock;
            throw new IllegalArgumentException("rows " + from + " to " + (from + count) + " of a weight with " + rows
                    + " rows" + blocks + " cannot be sliced");
        }
        if (count == rows) {
            return this;
        }
        int first = firstRow + from / rowBlock * rowStep;
        if (!transposed) {
            return new Weight(count, columns, format, false, first, rowBlock, rowStep, pieces);
        }
        int skipped = first - first % format.granularity();
        Pieces sliced = pieces.each(piece -> piece.skipColumns(format, skipped));
        return new Weight(count, columns, format, true, first - skipped, rowStep, sliced);
    }

    /** {@code count} values of each vector from {@code from} on; vectors are matrices of one row or of one column. */
    public Weight values(int from, int count) {
        return rows == 1 ? columns(from, count) : rows(from, count);
    }

    /** Whether its rows are every second or so stored column, of plain values. */
    boolean interleaved() {
        return transposed && rowStep > 1 && format instanceof Plain;
    }

    /**
     * Whether it was cut from longer stored rows. Mapped in place, such a weight would keep all pages of its tensor resident: engines copy it once,
     * {@link #bytes} of it. Of rows that interleave, as gpt-oss has gate and up, every second column is no cut.
     */
    public boolean isPartOfRows() {
        int step = transposed ? rowStep : 1;
        int columnsOfAll = (storedColumns() + step - 1) / step * step;
        return storedRows() > 1 && pieces.get(0).values().rowBytes() > format.rowBytes(columnsOfAll);
    }
}
