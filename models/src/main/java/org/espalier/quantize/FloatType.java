package org.espalier.quantize;

import java.util.Optional;

/** How floats are stored in a safetensors file; names as there. */
enum FloatType {
    F32("float32", 4),
    F16("float16", 2),
    BF16("bfloat16", 2);

    private final String torchName;
    private final int bytes;

    FloatType(String torchName, int bytes) {
        this.torchName = torchName;
        this.bytes = bytes;
    }

    int bytes() {
        return bytes;
    }

    /** By {@code torch_dtype}'s value. */
    static Optional<FloatType> named(String torchName) {
        for (FloatType type : values()) {
            if (type.torchName.equals(torchName)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** The nearest value that this type has, ties to even. */
    float round(float value) {
        return switch (this) {
            case F32 -> value;
            case BF16 -> Float.intBitsToFloat(bfloat16(value) << 16);
            case F16 -> (float) half(value);
        };
    }

    /** Little-endian. */
    void put(float value, byte[] into, int at) {
        int bits = switch (this) {
            case F32 -> Float.floatToRawIntBits(value);
            case BF16 -> bfloat16(value);
            case F16 -> halfBits(value);
        };
        for (int i = 0; i < bytes; i++) {
            into[at + i] = (byte) (bits >> i * Byte.SIZE);
        }
    }

    private static int bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return bits >>> 16 | 0x40;
        }
        return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
    }

    /** Rounded to 11 significant bits, or to a multiple of 2^-24 below the least normal number. */
    private static double half(float value) {
        if (value == 0 || Float.isNaN(value) || Float.isInfinite(value)) {
            return value;
        }
        int exponent = Math.max(Math.getExponent(value), -14);
        double unit = Math.scalb(1.0, exponent - 10);
        double rounded = Math.rint(value / unit) * unit;
        return Math.abs(rounded) >= 65_520 ? Math.copySign(Double.POSITIVE_INFINITY, value) : rounded;
    }

    private static int halfBits(float value) {
        float rounded = (float) half(value);
        int sign = Float.floatToRawIntBits(rounded) >>> 16 & 0x8000;
        float magnitude = Math.abs(rounded);
        if (Float.isNaN(magnitude)) {
            return sign | 0x7e00;
        }
        if (Float.isInfinite(magnitude)) {
            return sign | 0x7c00;
        }
        if (magnitude < 0x1p-14f) {
            return sign | (int) (magnitude * 0x1p24f);
        }
        int bits = Float.floatToRawIntBits(magnitude);
        return sign | (bits >>> 13) - (127 - 15 << 10);
    }
}
