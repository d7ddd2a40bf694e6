package org.espalier.weights;

/** The type of one stored number, little-endian; named by its exponent's and mantissa's bits where it has no common name. */
public enum Element {
    /** 4 bits, the first of two in the low nibble. */
    E2M1(4),
    /** A whole number from -8 to 7, with 8 added; the first of two in the low nibble. */
    INT4(4),
    /** OCP's FP8 without infinities. */
    E4M3(8),
    /** A power of two, no sign. */
    E8M0(8),
    BF16(16),
    F16(16),
    F32(32);

    private static final float[] INT4_VALUES = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};

    private final int bits;

    Element(int bits) {
        this.bits = bits;
    }

    public int bits() {
        return bits;
    }

    /** Bytes of {@code count} consecutive numbers. */
    public long bytes(long count) {
        return count * bits / Byte.SIZE;
    }

    /** Of a type of 4 bits, the number that each nibble stands for. */
    float[] nibbles() {
        return this == INT4 ? INT4_VALUES : SmallFloats.E2M1;
    }

    /** Number {@code index} of a row. */
    public float at(byte[] row, int index) {
        return switch (this) {
            case E2M1, INT4 -> nibbles()[row[index >> 1] >> 4 * (index & 1) & 0xf];
            case E4M3 -> SmallFloats.e4m3(row[index]);
            case E8M0 -> SmallFloats.e8m0(row[index]);
            case BF16 -> bf16(row, 2 * index);
            case F16 -> Float16.at(row, 2 * index);
            case F32 -> Float.intBitsToFloat(Float16.int32(row, 4 * index));
        };
    }

    /** The first {@code count} numbers of a row. */
    void decode(byte[] row, int count, float[] out) {
        switch (this) {
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = bf16(row, 2 * i);
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float16.at(row, 2 * i);
                }
            }
            case F32 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float.intBitsToFloat(Float16.int32(row, 4 * i));
                }
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    out[i] = at(row, i);
                }
            }
        }
    }

    /** The upper half of a float. */
    static float bf16(byte[] bytes, int at) {
        return Float.intBitsToFloat((bytes[at] & 0xff) << 16 | bytes[at + 1] << 24);
    }
}
