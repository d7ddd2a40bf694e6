package org.espalier.engine.reference;

import org.espalier.engine.program.WeightFormat;
import org.espalier.engine.program.WeightFormat.Affine;
import org.espalier.engine.program.WeightFormat.Block;
import org.espalier.engine.program.WeightFormat.Plain;

/** Turns the bytes of one stored row into floats; one case for each {@link WeightFormat}. */
final class RowDecoder {

    private RowDecoder() {}

    /**
     * @param values the row's bytes
     * @param scales one row of scales, where the format keeps them apart
     * @param biases one row of biases, where the format keeps them apart
     * @param out [columns]
     */
    static void decode(WeightFormat format, byte[] values, byte[] scales, byte[] biases, int columns, float[] out) {
        if (format instanceof Plain plain) {
            plain(plain, values, columns, out);
        } else if (format instanceof Block block) {
            switch (block) {
                case Q4_0 -> q4(values, columns, out, false);
                case Q4_1 -> q4(values, columns, out, true);
                case Q8_0 -> q8(values, columns, out);
            }
        } else if (format instanceof Affine affine) {
            affine(affine, values, scales, biases, columns, out);
        } else {
            throw new AssertionError(format);
        }
    }

    static void plain(Plain type, byte[] bytes, int count, float[] out) {
        switch (type) {
            case F32 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float.intBitsToFloat(Float16.int32(bytes, 4 * i));
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float16.at(bytes, 2 * i);
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = bf16(bytes, 2 * i);
                }
            }
        }
    }

    /** The upper half of a float. */
    static float bf16(byte[] bytes, int at) {
        return Float.intBitsToFloat((bytes[at] & 0xff) << 16 | bytes[at + 1] << 24);
    }

    private static void q4(byte[] bytes, int columns, float[] out, boolean withMinimum) {
        int at = 0;
        for (int block = 0; block < columns; block += 32) {
            float scale = Float16.at(bytes, at);
            float minimum = withMinimum ? Float16.at(bytes, at + 2) : -8 * scale;
            at += withMinimum ? 4 : 2;
            for (int i = 0; i < 16; i++) {
                int pair = bytes[at + i];
                out[block + i] = scale * (pair & 0xf) + minimum;
                out[block + 16 + i] = scale * (pair >> 4 & 0xf) + minimum;
            }
            at += 16;
        }
    }

    private static void q8(byte[] bytes, int columns, float[] out) {
        int at = 0;
        for (int block = 0; block < columns; block += 32) {
            float scale = Float16.at(bytes, at);
            at += 2;
            for (int i = 0; i < 32; i++) {
                out[block + i] = scale * bytes[at + i];
            }
            at += 32;
        }
    }

    private static void affine(
            Affine format, byte[] values, byte[] scaleBytes, byte[] biasBytes, int columns, float[] out) {
        int groups = columns / format.group();
        float[] scales = new float[groups];
        float[] biases = new float[groups];
        plain(format.scales(), scaleBytes, groups, scales);
        plain(format.scales(), biasBytes, groups, biases);
        int bits = format.bits();
        int mask = (1 << bits) - 1;
        for (int i = 0; i < columns; i++) {
            int bit = i * bits;
            int at = bit >> 3;
            int next = at + 1 < values.length ? values[at + 1] & 0xff : 0;
            int quantum = ((values[at] & 0xff | next << 8) >> (bit & 7)) & mask;
            int group = i / format.group();
            out[i] = scales[group] * quantum + biases[group];
        }
    }
}
