package org.espalier.quantize;

import org.espalier.EspalierException;

/**
 * MLX's affine quantization of one row, as {@code mx.quantize} computes it: in each group the end of the range with the greater magnitude is
 * met exactly, so that zero stays zero where the group has it.
 *
 * @param bits of a value
 * @param group columns that share a scale and a bias
 */
record AffineGroups(int bits, int group) {

    private static final float LEAST_SCALE = 1e-7f;

    AffineGroups {
        boolean packs = bits >= 2 && bits <= 8 && bits != 7;
        if (!packs || group != 32 && group != 64 && group != 128) {
            throw new EspalierException("MLX has no affine quantization with " + bits + " bits and groups of " + group
                    + ": choose 2, 3, 4, 5, 6 or 8 bits and groups of 32, 64 or 128");
        }
    }

    int packedBytes(int columns) {
        return columns * bits / Byte.SIZE;
    }

    /**
     * @param values [columns]
     * @param packed gets the values, lowest bits first; {@link #packedBytes} from {@code at} on
     * @param scales [columns / group]
     * @param biases [columns / group]
     */
    void quantize(float[] values, byte[] packed, int at, float[] scales, float[] biases) {
        for (int g = 0; g < scales.length; g++) {
            int from = g * group;
            float least = Float.POSITIVE_INFINITY;
            float greatest = Float.NEGATIVE_INFINITY;
            for (int i = from; i < from + group; i++) {
                least = Math.min(least, values[i]);
                greatest = Math.max(greatest, values[i]);
            }
            int levels = (1 << bits) - 1;
            boolean lowEnd = Math.abs(least) > Math.abs(greatest);
            float scale = Math.max((greatest - least) / levels, LEAST_SCALE);
            scale = lowEnd ? scale : -scale;
            float edge = lowEnd ? least : greatest;
            float steps = (float) Math.rint(edge / scale);
            float bias = 0;
            if (steps != 0) {
                scale = edge / steps;
                bias = edge;
            }
            scales[g] = scale;
            biases[g] = bias;
            pack(values, from, scale, bias, packed, at + packedBytes(from));
        }
    }

    private void pack(float[] values, int from, float scale, float bias, byte[] packed, int at) {
        int greatest = (1 << bits) - 1;
        int waiting = 0; // bits not written yet, lowest first
        int count = 0;
        int next = at;
        for (int i = from; i < from + group; i++) {
            float level = (float) Math.rint((values[i] - bias) / scale);
            int q = (int) Math.min(Math.max(level, 0), greatest);
            waiting |= q << count;
            count += bits;
            while (count >= Byte.SIZE) {
                packed[next++] = (byte) waiting;
                waiting >>>= Byte.SIZE;
                count -= Byte.SIZE;
            }
        }
    }
}
