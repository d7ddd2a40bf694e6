package org.espalier.program;

import org.espalier.weights.Weight;

/**
 * What a step reads and computes.
 *
 * @param weightBytes of weights
 * @param cacheValues values of KV caches; their bytes depend on how an engine keeps them
 * @param operations floating point multiplications and additions
 */
public record Cost(long weightBytes, long cacheValues, long operations) {

    public static final Cost NONE = new Cost(0, 0, 0);

    /** A weight that is read once and multiplied with {@code rows} rows. */
    static Cost product(Weight weight, int rows) {
        long values = (long) weight.count() * weight.rows() * weight.columns();
        return new Cost(weight.bytes(), 0, 2 * rows * values);
    }

    public Cost plus(Cost other) {
        return new Cost(
                weightBytes + other.weightBytes, cacheValues + other.cacheValues, operations + other.operations);
    }
}
