package org.espalier.weights;

/** Products of a row of GGUF blocks with one vector; one method for each {@link Block} that has one. */
final class BlockDot {

    private BlockDot() {}

    static float q4_0(byte[] row, int columns, float[] x, int at) {
        return q4(row, columns, x, at, false);
    }

    static float q4_1(byte[] row, int columns, float[] x, int at) {
        return q4(row, columns, x, at, true);
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

    static float q8_0(byte[] row, int columns, float[] x, int at) {
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
}
