package org.espalier.engine.program;

/** How the values of a weight are stored. */
public sealed interface WeightFormat {

    /** Bytes of {@code columns} consecutive values of one row in the values region. */
    long rowBytes(int columns);

    /** Columns that a slice must be a multiple of: 1, a block, or a quantization group. */
    int granularity();

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

    /** GGUF's blocks, scales inside: <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">format</a>. */
    enum Block implements WeightFormat {
        /** 32 values: f16 scale d, 16 bytes of nibbles; value j &lt; 16 is the low nibble of byte j; w = d (q - 8). */
        Q4_0(32, 2 + 16),
        /** 32 values: f16 scale d, f16 minimum m, nibbles as Q4_0; w = d q + m. */
        Q4_1(32, 2 + 2 + 16),
        /** 32 values: f16 scale d, 32 signed bytes; w = d q. */
        Q8_0(32, 2 + 32);

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
     * MLX affine quantization: unsigned {@code bits} wide values packed into little-endian words, lowest bits first; w = scale q +
     * bias, one scale and bias for each group of {@code group} columns, in regions of their own.
     *
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

        /** Bytes of one row of scales, and of one row of biases. */
        public long scaleRowBytes(int columns) {
            return scales.rowBytes(columns / group);
        }
    }
}
