package org.espalier.weights;

/**
 * Floating point numbers of 4 and 8 bits,
 * <a href="https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf">OCP MX 1.0</a> sections 5.3 and 5.4.
 */
final class SmallFloats {

    /** Sign, 2 bits of exponent with bias 1, 1 bit of mantissa. */
    static final float[] E2M1 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

    private static final float[] E4M3 = new float[1 << 8];

    static {
        for (int bits = 0; bits < E4M3.length; bits++) {
            int exponent = bits >> 3 & 0xf;
            int mantissa = bits & 0x7;
            float magnitude = exponent == 0
                    ? Math.scalb((float) mantissa, 1 - 7 - 3) // subnormal; the bias is 7
                    : Math.scalb((float) (8 + mantissa), exponent - 7 - 3);
            E4M3[bits] = (bits & 0x7f) == 0x7f ? Float.NaN : (bits & 0x80) == 0 ? magnitude : -magnitude;
        }
    }

    private SmallFloats() {}

    /** The value of the low nibble. */
    static float e2m1(int nibble) {
        return E2M1[nibble & 0xf];
    }

    static float e4m3(byte bits) {
        return E4M3[bits & 0xff];
    }

    /** 2^(bits - 127); the standard's NaN, 255, is read as 2^128, which is infinite. */
    static float e8m0(byte bits) {
        int exponent = bits & 0xff;
        return exponent == 0 ? 0x1p-127f : Float.intBitsToFloat(exponent << 23);
    }
}
