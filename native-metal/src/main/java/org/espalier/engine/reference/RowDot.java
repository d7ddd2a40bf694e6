package org.espalier.engine.reference;

import org.espalier.engine.program.WeightFormat;
import org.espalier.engine.program.WeightFormat.Affine;
import org.espalier.engine.program.WeightFormat.Block;
import org.espalier.engine.program.WeightFormat.Plain;
import org.espalier.engine.program.WeightFormat.Scaled;

/** Products of a stored row with one vector straight from its bytes, for steps of one row, where decoding would be most of the work. */
final class RowDot {

    private RowDot() {}

    static boolean has(WeightFormat format) {
        if (format.granularity() % 2 == 0 && format instanceof Affine affine) { // values are taken two by two
            return affine.bits() == 4 || affine.bits() == 8;
        }
        if (format.granularity() % 2 == 0 && format instanceof Scaled scaled) {
            return scaled.values() == Scaled.Element.E2M1;
        }
        return format == Block.Q4_0 || format == Block.Q4_1 || format == Block.Q8_0 || format == Plain.BF16;
    }

    /**
     * The row's {@code columns} values times x[at ...].
     *
     * @param row bytes of values, scales and biases
     */
    static float dot(WeightFormat format, byte[][] row, int columns, float[] x, int at) {
        if (format instanceof Block block) {
            return switch (block) {
                case Q4_0 -> q4(row[0], columns, x, at, false);
                case Q4_1 -> q4(row[0], columns, x, at, true);
                case Q8_0 -> q8(row[0], columns, x, at);
                default -> throw new AssertionError(format);
            };
        }
        if (format instanceof Affine affine) {
            return affine(affine, row, columns, x, at);
        }
        if (format instanceof Scaled scaled) {
            return fp4(scaled, row, columns, x, at);
        }
        if (format == Plain.BF16) {
            return bf16(row[0], columns, x, at);
        }
        throw new AssertionError(format);
    }

    /** Group by group: scale (sum of q x) + bias (sum of x). */
    private static float affine(Affine format, byte[][] row, int columns, float[] x, int at) {
        int group = format.group();
        float total = 0;
        for (int from = 0, index = 0; from < columns; from += group, index++) {
            float quanta = format.bits() == 4 ? nibbles(row[0], from, group, x, at) : bytes(row[0], from, group, x, at);
            float sum = 0;
            for (int i = at + from; i < at + from + group; i++) {
                sum += x[i];
            }
            total += RowDecoder.number(format.scales(), row[1], index) * quanta
                    + RowDecoder.number(format.scales(), row[2], index) * sum;
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

    private static float fp4(Scaled format, byte[][] row, int columns, float[] x, int at) {
        float total = 0;
        for (int from = 0, index = 0; from < columns; from += format.group(), index++) {
            float even = 0;
            float odd = 0;
            int to = Math.min(columns, from + format.group());
            for (int i = from; i < to; i += 2) {
                int pair = row[0][i >> 1];
                even += x[at + i] * SmallFloats.e2m1(pair);
                odd += x[at + i + 1] * SmallFloats.e2m1(pair >> 4);
            }
            total += RowDecoder.number(format.scales(), row[1], index) * (even + odd);
        }
        return total;
    }

    /** sum of d q x + m x, block by block: d (sum of q x) + m (sum of x). */
    private static float q4(byte[] row, int columns, float[] x, int at, boolean withMinimum) {
        float total = 0;
        int header = withMinimum ? 4 : 2;
        for (int block = 0, byteAt = 0; block < columns; block += 32, byteAt += header + 16) {
            float scale = Float16.at(row, byteAt);
            float minimum = withMinimum ? Float16.at(row, byteAt + 2) : -8 * scale;
            float low = 0;
            float high = 0;
            float low1 = 0;
            float high1 = 0;
            float sum = 0;
            float sum1 = 0;
            int lowAt = at + block;
            for (int i = 0; i < 16; i += 2) {
                int pair = row[byteAt + header + i];
                int pair1 = row[byteAt + header + i + 1];
                float a = x[lowAt + i];
                float b = x[lowAt + i + 16];
                float a1 = x[lowAt + i + 1];
                float b1 = x[lowAt + i + 17];
                low += a * (pair & 0xf);
                high += b * (pair >> 4 & 0xf);
                low1 += a1 * (pair1 & 0xf);
                high1 += b1 * (pair1 >> 4 & 0xf);
                sum += a + b;
                sum1 += a1 + b1;
            }
            total += scale * (low + high + (low1 + high1)) + minimum * (sum + sum1);
        }
        return total;
    }

    private static float q8(byte[] row, int columns, float[] x, int at) {
        float total = 0;
        for (int block = 0, byteAt = 0; block < columns; block += 32, byteAt += 34) {
            float sum0 = 0;
            float sum1 = 0;
            float sum2 = 0;
            float sum3 = 0;
            for (int i = 0; i < 32; i += 4) {
                sum0 += x[at + block + i] * row[byteAt + 2 + i];
                sum1 += x[at + block + i + 1] * row[byteAt + 3 + i];
                sum2 += x[at + block + i + 2] * row[byteAt + 4 + i];
                sum3 += x[at + block + i + 3] * row[byteAt + 5 + i];
            }
            total += Float16.at(row, byteAt) * (sum0 + sum1 + (sum2 + sum3));
        }
        return total;
    }

    private static float bf16(byte[] row, int columns, float[] x, int at) {
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        int i = 0;
        for (; i <= columns - 4; i += 4) {
            sum0 += x[at + i] * RowDecoder.bf16(row, 2 * i);
            sum1 += x[at + i + 1] * RowDecoder.bf16(row, 2 * i + 2);
            sum2 += x[at + i + 2] * RowDecoder.bf16(row, 2 * i + 4);
            sum3 += x[at + i + 3] * RowDecoder.bf16(row, 2 * i + 6);
        }
        for (; i < columns; i++) {
            sum0 += x[at + i] * RowDecoder.bf16(row, 2 * i);
        }
        return sum0 + sum1 + (sum2 + sum3);
    }
}
