package org.espalier.engine.reference;

import org.espalier.engine.program.WeightFormat;
import org.espalier.engine.program.WeightFormat.Affine;
import org.espalier.engine.program.WeightFormat.Block;
import org.espalier.engine.program.WeightFormat.Plain;
import org.espalier.engine.program.WeightFormat.Scaled;

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
            BlockDecoder.decode(block, values, columns, out);
        } else if (format instanceof Affine affine) {
            affine(affine, values, scales, biases, columns, out);
        } else if (format instanceof Scaled scaled) {
            scaled(scaled, values, scales, columns, out);
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

    private static void scaled(Scaled format, byte[] values, byte[] scales, int columns, float[] out) {
        boolean nibbles = format.values() == Scaled.Element.E2M1;
        for (int from = 0, group = 0; from < columns; from += format.group(), group++) {
            float scale = number(format.scales(), scales, group);
            int to = Math.min(columns, from + format.group());
            for (int i = from; i < to; i++) {
                float value =
                        nibbles ? SmallFloats.e2m1(values[i >> 1] >> 4 * (i & 1)) : number(format.values(), values, i);
                out[i] = scale * value;
            }
        }
    }

    /** Number {@code index} of a row of scales or values. */
    static float number(Scaled.Element type, byte[] bytes, int index) {
        return switch (type) {
            case E2M1 -> SmallFloats.e2m1(bytes[index >> 1] >> 4 * (index & 1));
            case E4M3 -> SmallFloats.e4m3(bytes[index]);
            case E8M0 -> SmallFloats.e8m0(bytes[index]);
            case BF16 -> number(Plain.BF16, bytes, index);
            case F16 -> number(Plain.F16, bytes, index);
            case F32 -> number(Plain.F32, bytes, index);
        };
    }

    static float number(Plain type, byte[] bytes, int index) {
        return switch (type) {
            case BF16 -> bf16(bytes, 2 * index);
            case F16 -> Float16.at(bytes, 2 * index);
            case F32 -> Float.intBitsToFloat(Float16.int32(bytes, 4 * index));
        };
    }
}
