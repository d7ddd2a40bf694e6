package org.espalier.engine.program;

/** How the values of a weight are stored. */
public sealed interface WeightFormat {

    /** Bytes of {@code columns} consecutive values of one row in the values region. */
    long rowBytes(int columns);

    /** Columns that a slice must begin at a multiple of: 1, a block, or a quantization group. */
    int granularity();

    /** Whether a row can have so many columns. */
    default boolean fits(int columns) {
        return columns % granularity() == 0;
    }

    /** Bytes of one row of scales in a region of their own; 0 where the format has none. */
    default long scaleRowBytes(int columns) {
        return 0;
    }

    /** Bytes of one row of biases in a region of their own; 0 where the format has none. */
    default long biasRowBytes(int columns) {
        return 0;
    }

    /** One value after the other, little-endian. */
    enum Plain implements WeightFormat {
        F32(4),
        F16(2),
        BF16(2);

        private final int bytes;

        Plain(int bytes) {
            this.bytes = bytes;
        }

        @Override
        public long rowBytes(int columns) {
            return (long) columns * bytes;
        }

        @Override
        public int granularity() {
            return 1;
        }
    }

    /**
     * GGUF's blocks, scales inside: <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">format</a>. Fields are given in
     * their order; d is a scale and m a minimum, both f16; nibbles are in halves: value j of the first half is the low nibble of byte j,
     * of the second half the high nibble.
     */
    enum Block implements WeightFormat {
        /** d, 16 bytes of nibbles; w = d (q - 8). */
        Q4_0(32, 2 + 16),
        /** d, m, nibbles; w = d q + m. */
        Q4_1(32, 2 + 2 + 16),
        /** d, fifth bits of the 32 values, nibbles; w = d (q - 16). */
        Q5_0(32, 2 + 4 + 16),
        /** d, m, fifth bits, nibbles; w = d q + m. */
        Q5_1(32, 2 + 2 + 4 + 16),
        /** d, 32 signed bytes; w = d q. */
        Q8_0(32, 2 + 32),
        /** 16 bytes of 4-bit scale s and minimum n for 16 values each, 2-bit values, d, m; w = d s q - m n. */
        Q2_K(256, 16 + 64 + 2 + 2),
        /** Third bits, 2-bit values, 16 scales s of 6 bits, d; w = d (s - 32) (q - 4). */
        Q3_K(256, 32 + 64 + 12 + 2),
        /** d, m, 8 pairs of 6-bit scale s and minimum n for 32 values each, nibbles; w = d s q - m n. */
        Q4_K(256, 2 + 2 + 12 + 128),
        /** d, m, pairs as Q4_K, fifth bits, nibbles; w = d s q - m n. */
        Q5_K(256, 2 + 2 + 12 + 32 + 128),
        /** Lower 4 bits, upper 2 bits, 16 signed bytes s, d; w = d s (q - 32). */
        Q6_K(256, 128 + 64 + 16 + 2),
        /** d, nibbles that number 16 fixed values; w = d v[q]. */
        IQ4_NL(32, 2 + 16),
        /** d, upper 2 and lower 4 bits of 8 scales s for 32 values each, nibbles as IQ4_NL; w = d (s - 32) v[q]. */
        IQ4_XS(256, 2 + 2 + 4 + 128),
        /** An E8M0 scale s, nibbles of E2M1 values; w = s q. */
        MXFP4(32, 1 + 16);

        private final int blockValues;
        private final int blockBytes;

        Block(int blockValues, int blockBytes) {
            this.blockValues = blockValues;
            this.blockBytes = blockBytes;
        }

        /** Values in a block. */
        public int blockValues() {
            return blockValues;
        }

        /** Bytes of a block. */
        public int blockBytes() {
            return blockBytes;
        }

        @Override
        public long rowBytes(int columns) {
            return (long) (columns / blockValues) * blockBytes;
        }

        @Override
        public int granularity() {
            return blockValues;
        }
    }

    /**
     * MLX affine quantization: unsigned {@code bits} wide values one after the other, lowest bits first; w = scale q + bias, one scale
     * and bias for each group of {@code group} columns, in regions of their own.
     *
     * @param bits 1 to 8
     * @param scales the type of scales and biases
     */
    record Affine(int bits, int group, Plain scales) implements WeightFormat {

        @Override
        public long rowBytes(int columns) {
            return (long) columns * bits / Byte.SIZE;
        }

        @Override
        public int granularity() {
            return group;
        }

        @Override
        public long scaleRowBytes(int columns) {
            return scales.rowBytes(columns / group);
        }

        @Override
        public long biasRowBytes(int columns) {
            return scaleRowBytes(columns);
        }
    }

    /**
     * Small floating point numbers with a scale for each group of {@code group} columns in a region of its own; w = scale q. Rows may
     * share a row of scales, as the region says: DeepSeek's fp8 has a scale for each 128 x 128 values. The last group may be short.
     */
    record Scaled(Element values, int group, Element scales) implements WeightFormat {
        /** <a href="https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf">OCP MX 1.0</a>. */
        public static final Scaled MXFP4 = new Scaled(Element.E2M1, 32, Element.E8M0);

        public static final Scaled MXFP8 = new Scaled(Element.E4M3, 32, Element.E8M0);
        public static final Scaled NVFP4 = new Scaled(Element.E2M1, 16, Element.E4M3);

        /** A number's type, named by its exponent's and mantissa's bits where it is no usual one. */
        public enum Element {
            /** 4 bits, the first of two in the low nibble. */
            E2M1(4),
            /** OCP's FP8 without infinities. */
            E4M3(8),
            /** A power of two, no sign. */
            E8M0(8),
            BF16(16),
            F16(16),
            F32(32);

            private final int bits;

            Element(int bits) {
                this.bits = bits;
            }

            public int bits() {
                return bits;
            }
        }

        @Override
        public long rowBytes(int columns) {
            return (long) columns * values.bits() / Byte.SIZE;
        }

        @Override
        public int granularity() {
            return group;
        }

        @Override
        public boolean fits(int columns) {
            return columns * (long) values.bits() % Byte.SIZE == 0;
        }

        @Override
        public long scaleRowBytes(int columns) {
            return (columns + group - 1L) / group * scales.bits() / Byte.SIZE;
        }
    }
}
