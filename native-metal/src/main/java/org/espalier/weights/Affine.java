package org.espalier.weights;

/**
 * MLX affine quantization, <a href="https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.quantize.html">mlx.core.quantize</a>:
 * unsigned {@code bits} wide values one after the other, lowest bits first; w = scale q + bias, one scale and bias for each group of {@code
 * group} columns, in regions of their own.
 *
 * @param bits 1 to 8
 * @param scales the type of scales and biases
 */
public record Affine(int bits, int group, Element scales) implements WeightFormat {

    public Affine {
        if (bits < 1 || bits > 8 || group < 1 || scales.bits() < 16) {
            throw new IllegalArgumentException(
                    "not a valid affine format: " + bits + " bits, groups of " + group + ", scales of type " + scales);
        }
    }

    @Override
    public String title() {
        return "affine " + bits + " bits, group " + group;
    }

    @Override
    public long rowBytes(int columns) {
        return (long) columns * bits / Byte.SIZE;
    }

    @Override
    public int granularity() {
        return group;
    }

    /** Whole groups, and a row of whole bytes. */
    @Override
    public boolean fits(int columns) {
        return columns % group == 0 && (long) columns * bits % Byte.SIZE == 0;
    }

    @Override
    public long scaleRowBytes(int columns) {
        return scales.bytes(columns / group);
    }

    @Override
    public long biasRowBytes(int columns) {
        return scaleRowBytes(columns);
    }

    @Override
    public void decode(StoredRow row, int columns, float[] out) {
        byte[] values = row.values;
        int mask = (1 << bits) - 1;
        for (int from = 0, index = 0; from < columns; from += group, index++) {
            float scale = scales.at(row.scales, index);
            float bias = scales.at(row.biases, index);
            for (int i = from; i < from + group; i++) {
                int bit = i * bits;
                int at = bit >> 3;
                int next = at + 1 < values.length ? values[at + 1] & 0xff : 0;
                int quantum = ((values[at] & 0xff | next << 8) >> (bit & 7)) & mask;
                out[i] = scale * quantum + bias;
            }
        }
    }

    @Override
    public boolean hasDot() {
        return group % 2 == 0 && (bits == 4 || bits == 8); // values are taken two by two
    }

    /** Group by group: scale (sum of q x) + bias (sum of x). */
    @Override
    public float dot(StoredRow row, int columns, float[] x, int at) {
        float total = 0;
        for (int from = 0, index = 0; from < columns; from += group, index++) {
            float quanta = bits == 4 ? nibbles(row.values, from, group, x, at) : bytes(row.values, from, group, x, at);
            float sum = 0;
            for (int i = at + from; i < at + from + group; i++) {
                sum += x[i];
            }
            total += scales.at(row.scales, index) * quanta + scales.at(row.biases, index) * sum;
        }
        return total;
    }

    /** Unsigned nibbles, the low one first, from an even column on. */
    private static float nibbles(byte[] row, int from, int count, float[] x, int at) {
        float even = 0;
        float odd = 0;
        for (int i = from; i < from + count; i += 2) {
            int pair = row[i >> 1];
            even += x[at + i] * (pair & 0xf);
            odd += x[at + i + 1] * (pair >> 4 & 0xf);
        }
        return even + odd;
    }

    private static float bytes(byte[] row, int from, int count, float[] x, int at) {
        float even = 0;
        float odd = 0;
        for (int i = from; i < from + count; i += 2) {
            even += x[at + i] * (row[i] & 0xff);
            odd += x[at + i + 1] * (row[i + 1] & 0xff);
        }
        return even + odd;
    }
}
