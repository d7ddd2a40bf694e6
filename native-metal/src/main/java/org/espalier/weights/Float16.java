package org.espalier.weights;

/** IEEE 754 half precision, which Java 17 cannot convert itself. */
final class Float16 {

    private static final float[] VALUES = new float[1 << 16];

    static {
        for (int bits = 0; bits < VALUES.length; bits++) {
            VALUES[bits] = convert(bits);
        }
    }

    private Float16() {}

    /** The value of the two little-endian bytes at {@code at}. */
    static float at(byte[] bytes, int at) {
        return VALUES[bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8];
    }

    static int int32(byte[] bytes, int at) {
        return bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8 | (bytes[at + 2] & 0xff) << 16 | bytes[at + 3] << 24;
    }

    private static float convert(int bits) {
        int exponent = bits >> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        float magnitude;
        if (exponent == 0) {
            magnitude = fraction * 0x1p-24f; // subnormal
        } else if (exponent == 0x1f) {
            magnitude = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
        } else {
            magnitude = Float.intBitsToFloat(exponent + 127 - 15 << 23 | fraction << 13);
        }
        return (bits & 0x8000) == 0 ? magnitude : -magnitude;
    }
}
