package org.espalier.engine;

/** The upper half of a float: 8 bits of significand. */
public final class BFloat16 {

    private BFloat16() {}

    /** The nearest of them, of two equally near ones the even. */
    public static float round(float value) {
        return fromBits(bits(value));
    }

    public static short bits(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >> 16 | 0x40); // whatever its lower half was, it stays no number
        }
        return (short) (bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }

    public static float fromBits(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
