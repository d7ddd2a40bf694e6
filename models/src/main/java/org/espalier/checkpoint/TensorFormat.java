package org.espalier.checkpoint;

/** How a checkpoint stores the values of a tensor. */
public sealed interface TensorFormat {

    /** Bytes of {@code columns} consecutive values of a row, scales that are kept apart not counted. */
    long rowBytes(int columns);

    /** As people call it. */
    default String title() {
        return toString();
    }

    /** One value after the other, little-endian. */
    enum Plain implements TensorFormat {
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
    }

    /** GGUF's block types, <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">GGUF</a>. */
    enum GgufBlock implements TensorFormat {
        Q4_0(32, 2 + 16),
        Q4_1(32, 2 + 2 + 16),
        Q5_0(32, 2 + 4 + 16),
        Q5_1(32, 2 + 2 + 4 + 16),
        Q8_0(32, 2 + 32),
        Q2_K(256, 16 + 64 + 2 + 2),
        Q3_K(256, 32 + 64 + 12 + 2),
        Q4_K(256, 2 + 2 + 12 + 128),
        Q5_K(256, 2 + 2 + 12 + 32 + 128),
        Q6_K(256, 128 + 64 + 16 + 2),
        IQ4_NL(32, 2 + 16),
        IQ4_XS(256, 2 + 2 + 4 + 128),
        MXFP4(32, 1 + 16);

        private final int blockValues;
        private final int blockBytes;

        GgufBlock(int blockValues, int blockBytes) {
            this.blockValues = blockValues;
            this.blockBytes = blockBytes;
        }

        public int blockValues() {
            return blockValues;
        }

        public int blockBytes() {
            return blockBytes;
        }

        @Override
        public long rowBytes(int columns) {
            return (long) (columns / blockValues) * blockBytes;
        }
    }

    /**
     * MLX's affine quantization: packed unsigned values, one scale and bias a group of columns.
     *
     * @param bits 2, 3, 4, 5, 6 or 8
     * @param scales the type of scales and biases
     */
    record MlxAffine(int bits, int group, Plain scales) implements TensorFormat {
        @Override
        public long rowBytes(int columns) {
            return (long) columns * bits / Byte.SIZE;
        }

        @Override
        public String title() {
            return "affine " + bits + " bits, group " + group;
        }
    }

    /**
     * Small floating point numbers, one scale a group of columns; the last group may be short.
     *
     * @param values E2M1 or E4M3
     */
    record Scaled(Element values, int group, Element scales) implements TensorFormat {
        /** gpt-oss as published, and MLX's mode of this name. */
        public static final Scaled MXFP4 = new Scaled(Element.E2M1, 32, Element.E8M0);

        public static final Scaled MXFP8 = new Scaled(Element.E4M3, 32, Element.E8M0);
        public static final Scaled NVFP4 = new Scaled(Element.E2M1, 16, Element.E4M3);

        /** A number's type, named by its exponent's and mantissa's bits where it is no usual one. */
        public enum Element {
            E2M1(4),
            E4M3(8),
            E8M0(8),
            BF16(16),
            F16(16),
            F32(32);

            private final int bits;

            Element(int bits) {
                this.bits = bits;
            }
        }

        @Override
        public long rowBytes(int columns) {
            return (long) columns * values.bits / Byte.SIZE;
        }

        /** Groups of a row of {@code columns} values. */
        public int groups(int columns) {
            return (int) ((columns + group - 1L) / group);
        }

        /** Bytes of the scales of a row. */
        public long scaleRowBytes(int columns) {
            return (long) groups(columns) * scales.bits / Byte.SIZE;
        }

        @Override
        public String title() {
            if (equals(MXFP4)) {
                return "mxfp4";
            }
            if (equals(MXFP8)) {
                return "mxfp8";
            }
            if (equals(NVFP4)) {
                return "nvfp4";
            }
            return "fp8 " + values + ", group " + group;
        }
    }
}
