package org.espalier.weights;

/**
 * Turns one block of a GGUF row into floats; one method for each {@link Block}, which gives the order of the fields. In the methods
 * {@code at} is the block's first byte and {@code to} its first value.
 */
final class BlockDecoder {

    /** What the nibbles of IQ4_NL and IQ4_XS stand for, from ggml-common.h. */
    private static final byte[] IQ4_VALUES = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private BlockDecoder() {}

    static void q4_0(byte[] bytes, int at, float[] out, int to) {
        float scale = Float16.at(bytes, at);
        q4(bytes, at + 2, -8 * scale, scale, out, to);
    }

    static void q4_1(byte[] bytes, int at, float[] out, int to) {
        q4(bytes, at + 4, Float16.at(bytes, at + 2), Float16.at(bytes, at), out, to);
    }

    static void q5_0(byte[] bytes, int at, float[] out, int to) {
        float scale = Float16.at(bytes, at);
        q5(bytes, at + 2, -16 * scale, scale, out, to);
    }

    static void q5_1(byte[] bytes, int at, float[] out, int to) {
        q5(bytes, at + 4, Float16.at(bytes, at + 2), Float16.at(bytes, at), out, to);
    }

    static void iq4nl(byte[] bytes, int at, float[] out, int to) {
        iq4(bytes, at + 2, Float16.at(bytes, at), out, to);
    }

    private static void q4(byte[] bytes, int at, float minimum, float scale, float[] out, int to) {
        for (int i = 0; i < 16; i++) {
            int pair = bytes[at + i];
            out[to + i] = scale * (pair & 0xf) + minimum;
            out[to + 16 + i] = scale * (pair >> 4 & 0xf) + minimum;
        }
    }

    private static void q5(byte[] bytes, int at, float minimum, float scale, float[] out, int to) {
        int fifth = Float16.int32(bytes, at);
        for (int i = 0; i < 16; i++) {
            int pair = bytes[at + 4 + i];
            out[to + i] = scale * (pair & 0xf | (fifth >> i & 1) << 4) + minimum;
            out[to + 16 + i] = scale * (pair >> 4 & 0xf | (fifth >> 16 + i & 1) << 4) + minimum;
        }
    }

    static void q8(byte[] bytes, int at, float[] out, int to) {
        float scale = Float16.at(bytes, at);
        for (int i = 0; i < 32; i++) {
            out[to + i] = scale * bytes[at + 2 + i];
        }
    }

    /** A half of 128 values lies in 32 bytes: value i of 0 to 127 is bits 2 (i / 32) of byte i % 32. */
    static void q2k(byte[] bytes, int at, float[] out, int to) {
        float d = Float16.at(bytes, at + 16 + 64);
        float m = Float16.at(bytes, at + 16 + 64 + 2);
        for (int group = 0; group < 16; group++) {
            float scale = d * (bytes[at + group] & 0xf);
            float minimum = m * (bytes[at + group] >> 4 & 0xf);
            int from = at + 16 + group / 8 * 32 + group % 2 * 16;
            int shift = group / 2 % 4 * 2;
            for (int i = 0; i < 16; i++) {
                out[to + 16 * group + i] = scale * (bytes[from + i] >> shift & 3) - minimum;
            }
        }
    }

    /** Two lower bits as Q2_K; the third bit of value i of 256 is bit i / 32 of byte i % 32. */
    static void q3k(byte[] bytes, int at, float[] out, int to) {
        int scales = at + 32 + 64;
        float d = Float16.at(bytes, scales + 12);
        for (int group = 0; group < 16; group++) {
            int low = bytes[scales + group % 8] >> group / 8 * 4 & 0xf;
            int high = bytes[scales + 8 + group % 4] >> group / 4 * 2 & 3;
            float scale = d * ((low | high << 4) - 32);
            int from = at + 32 + group / 8 * 32 + group % 2 * 16;
            int third = at + group % 2 * 16;
            int shift = group / 2 % 4 * 2;
            for (int i = 0; i < 16; i++) {
                int upper = bytes[third + i] >> group / 2 & 1;
                out[to + 16 * group + i] = scale * ((bytes[from + i] >> shift & 3) + 4 * upper - 4);
            }
        }
    }

    /** 64 values lie in 32 bytes, the first 32 in the low nibbles. */
    static void q4k(byte[] bytes, int at, float[] out, int to) {
        for (int group = 0; group < 8; group++) {
            float scale = Float16.at(bytes, at) * scaleOfK(bytes, at + 4, group);
            float minimum = Float16.at(bytes, at + 2) * minimumOfK(bytes, at + 4, group);
            int from = at + 4 + 12 + group / 2 * 32;
            for (int i = 0; i < 32; i++) {
                out[to + 32 * group + i] = scale * (bytes[from + i] >> group % 2 * 4 & 0xf) - minimum;
            }
        }
    }

    /** Nibbles as Q4_K; the fifth bit of value i of 256 is bit i / 32 of byte i % 32. */
    static void q5k(byte[] bytes, int at, float[] out, int to) {
        int fifth = at + 4 + 12;
        for (int group = 0; group < 8; group++) {
            float scale = Float16.at(bytes, at) * scaleOfK(bytes, at + 4, group);
            float minimum = Float16.at(bytes, at + 2) * minimumOfK(bytes, at + 4, group);
            int from = fifth + 32 + group / 2 * 32;
            for (int i = 0; i < 32; i++) {
                int quantum = bytes[from + i] >> group % 2 * 4 & 0xf | (bytes[fifth + i] >> group & 1) << 4;
                out[to + 32 * group + i] = scale * quantum - minimum;
            }
        }
    }

    /**
     * The 12 bytes of Q4_K and Q5_K: scales 0 to 3 are the lower 6 bits of bytes 0 to 3, minima 0 to 3 of bytes 4 to 7; the lower 4 bits
     * of scale and minimum 4 to 7 are the nibbles of bytes 8 to 11, their upper 2 bits are left over in bytes 0 to 3 and 4 to 7.
     */
    private static int scaleOfK(byte[] bytes, int at, int group) {
        return group < 4
                ? bytes[at + group] & 0x3f
                : bytes[at + 4 + group] & 0xf | (bytes[at + group - 4] >> 6 & 3) << 4;
    }

    private static int minimumOfK(byte[] bytes, int at, int group) {
        return group < 4
                ? bytes[at + 4 + group] & 0x3f
                : bytes[at + 4 + group] >> 4 & 0xf | (bytes[at + group] >> 6 & 3) << 4;
    }

    /**
     * A half of 128 values has 64 bytes of lower and 32 of upper bits: value i of 0 to 127 has its lower bits in byte i % 64, nibble i / 64,
     * its upper in bits 2 (i / 32) of byte i % 32.
     */
    static void q6k(byte[] bytes, int at, float[] out, int to) {
        float d = Float16.at(bytes, at + 128 + 64 + 16);
        for (int group = 0; group < 16; group++) {
            float scale = d * bytes[at + 128 + 64 + group];
            int low = at + group / 8 * 64 + group % 4 * 16;
            int high = at + 128 + group / 8 * 32 + group % 2 * 16;
            int lowShift = group / 4 % 2 * 4;
            int highShift = group / 2 % 4 * 2;
            for (int i = 0; i < 16; i++) {
                int quantum = bytes[low + i] >> lowShift & 0xf | (bytes[high + i] >> highShift & 3) << 4;
                out[to + 16 * group + i] = scale * (quantum - 32);
            }
        }
    }

    private static void iq4(byte[] bytes, int at, float scale, float[] out, int to) {
        for (int i = 0; i < 16; i++) {
            out[to + i] = scale * IQ4_VALUES[bytes[at + i] & 0xf];
            out[to + 16 + i] = scale * IQ4_VALUES[bytes[at + i] >> 4 & 0xf];
        }
    }

    static void iq4xs(byte[] bytes, int at, float[] out, int to) {
        int upper = bytes[at + 2] & 0xff | (bytes[at + 3] & 0xff) << 8;
        for (int group = 0; group < 8; group++) {
            int low = bytes[at + 4 + group / 2] >> group % 2 * 4 & 0xf;
            int scale = low | (upper >> 2 * group & 3) << 4;
            iq4(bytes, at + 8 + 16 * group, Float16.at(bytes, at) * (scale - 32), out, to + 32 * group);
        }
    }

    static void mxfp4(byte[] bytes, int at, float[] out, int to) {
        float scale = SmallFloats.e8m0(bytes[at]);
        for (int i = 0; i < 16; i++) {
            out[to + i] = scale * SmallFloats.e2m1(bytes[at + 1 + i]);
            out[to + 16 + i] = scale * SmallFloats.e2m1(bytes[at + 1 + i] >> 4);
        }
    }
}
