package org.espalier.checkpoint;

/** How a checkpoint stores the values of a tensor. */
public sealed interface TensorFormat {

    /** Bytes of {@code columns} consecutive values of a row, scales that are kept apart not counted. */
    long rowBytes(int columns);

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
        Q8_0(32, 2 + 32);

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
     * @param scales the type of scales and biases
     */
    record MlxAffine(int bits, int group, Plain scales) implements TensorFormat {
        @Override
        public long rowBytes(int columns) {
            return (long) columns * bits / Byte.SIZE;
        }
    }
}
