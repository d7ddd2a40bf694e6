package org.espalier.weights;

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

    /** From stored row {@code rows} on. */
    Piece skipRows(long rows) {
        return new Piece(
                values.skipRows(rows),
                scales == null ? null : scales.skipRows(rows),
                biases == null ? null : biases.skipRows(rows));
    }

    /** From column {@code columns} on. */
    Piece skipColumns(WeightFormat format, int columns) {
        return new Piece(
                values.skipBytes(format.rowBytes(columns)),
                scales == null ? null : scales.skipBytes(format.scaleRowBytes(columns)),
                biases == null ? null : biases.skipBytes(format.biasRowBytes(columns)));
    }
}
