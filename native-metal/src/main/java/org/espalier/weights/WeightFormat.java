package org.espalier.weights;

/**
 * How the values of a weight are stored: its sizes, and how a row becomes floats. A new format is one more implementation, or one more
 * constant of {@link Block}; nothing else switches over formats.
 */
public sealed interface WeightFormat permits Plain, Block, Affine, Scaled {

    /** As people call it, for instance {@code Q4_K} or {@code affine 4 bits, group 64}. */
    String title();

    /** Bytes of {@code columns} consecutive values of one row in the values region. */
    long rowBytes(int columns);

    /** Columns that a slice must begin at a multiple of: 1, a block, or a quantization group. */
    int granularity();

    /** Whether a row can have this many columns. */
    default boolean fits(int columns) {
        return columns % granularity() == 0;
    }

    /** Bytes of one row of scales in a region of their own; 0 where the format has none. */
    default long scaleRowBytes(int columns) {
        return 0;
    }

    /** Bytes of one row of biases in a region of their own; 0 where the format has none. */
    default long biasRowBytes(int columns) {
        return 0;
    }

    /** @param out the first {@code columns} values of the row */
    void decode(StoredRow row, int columns, float[] out);

    /** Whether {@link #dot} is implemented: for steps of one row, where decoding would be most of the work. */
    default boolean hasDot() {
        return false;
    }

    /** The row's values times x[at ...], straight from its bytes. */
    default float dot(StoredRow row, int columns, float[] x, int at) {
        throw new UnsupportedOperationException(title());
    }
}
