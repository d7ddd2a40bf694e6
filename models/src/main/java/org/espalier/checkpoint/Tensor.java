package org.espalier.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a tensor lies. The last dimension is the columns, the one before it the rows; a vector has one row.
 *
 * @param name as the published Hugging Face checkpoint calls it
 * @param shape of the unpacked values, outermost dimension first
 * @param values rows of all outer dimensions one after the other
 * @param scales null unless the format keeps scales apart
 * @param biases null unless the format keeps biases apart
 */
public record Tensor(
        String name, List<Integer> shape, TensorFormat format, Extent values, Extent scales, Extent biases) {

    public Tensor {
        shape = List.copyOf(shape);
    }

    /**
     * Rows in a file.
     *
     * @param offset of the first row, from the start of the file; may be odd
     * @param rowBytes from the start of one row to the start of the next
     * @param sharedBy rows of the tensor that have one row here in common; 1 but for scales of blocks of rows
     * @param skipped rows of the tensor's first block that lie before it
     */
    public record Extent(Path file, long offset, long rowBytes, int sharedBy, int skipped) {
        /** A row for each row of the tensor. */
        public Extent(Path file, long offset, long rowBytes) {
            this(file, offset, rowBytes, 1, 0);
        }

        Extent skipRows(long rows) {
            long before = skipped + rows;
            return new Extent(
                    file, offset + before / sharedBy * rowBytes, rowBytes, sharedBy, (int) (before % sharedBy));
        }

        long bytes(long rows) {
            return (skipped + rows + sharedBy - 1) / sharedBy * rowBytes;
        }
    }

    public int columns() {
        return shape.get(shape.size() - 1);
    }

    public int rows() {
        return shape.size() < 2 ? 1 : shape.get(shape.size() - 2);
    }

    /** Matrices of rows x columns: the product of the outer dimensions. */
    public int count() {
        int count = 1;
        for (int i = 0; i < shape.size() - 2; i++) {
            count *= shape.get(i);
        }
        return count;
    }

    /** Bytes of values, scales and biases. */
    public long bytes() {
        long rows = (long) rows() * count();
        return values.bytes(rows)
                + (scales == null ? 0 : scales.bytes(rows))
                + (biases == null ? 0 : biases.bytes(rows));
    }

    /** Element {@code index} of the outermost dimension, for instance one expert of a stack. */
    public Tensor element(int index) {
        if (shape.size() < 3 || index < 0 || index >= shape.get(0)) {
            throw new IndexOutOfBoundsException("element " + index + " of " + name + " " + shape);
        }
        List<Integer> inner = shape.subList(1, shape.size());
        long skipped = (long) index * rows() * (count() / shape.get(0));
        return moved(inner, skipped);
    }

    /** Rows {@code from} to {@code from + rows} of a matrix. */
    public Tensor rows(int from, int rows) {
        if (shape.size() != 2 || from < 0 || rows <= 0 || from + rows > rows()) {
            throw new IndexOutOfBoundsException("rows " + from + " to " + (from + rows) + " of " + name + " " + shape);
        }
        return moved(List.of(rows, columns()), from);
    }

    /** The same tensor under another name. */
    public Tensor named(String newName) {
        return new Tensor(newName, shape, format, values, scales, biases);
    }

    private Tensor moved(List<Integer> newShape, long skipped) {
        return new Tensor(
                name,
                new ArrayList<>(newShape),
                format,
                values.skipRows(skipped),
                scales == null ? null : scales.skipRows(skipped),
                biases == null ? null : biases.skipRows(skipped));
    }
}
