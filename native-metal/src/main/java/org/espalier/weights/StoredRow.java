package org.espalier.weights;

/** The bytes of one stored row: values, and scales and biases where the format keeps them apart. The arrays may be longer than the row. */
final class StoredRow {
    byte[] values = {};
    byte[] scales = {};
    byte[] biases = {};
}
