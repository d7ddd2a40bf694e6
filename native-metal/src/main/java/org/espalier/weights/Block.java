package org.espalier.weights;

/**
 * GGUF's blocks, scales inside: <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">format</a>. Fields are given in
 * their order; d is a scale and m a minimum, both f16; nibbles are in halves: value j of the first half is the low nibble of byte j,
 * of the second half the high nibble.
 */
public enum Block implements WeightFormat {
    /** d, 16 bytes of nibbles; w = d (q - 8). */
    Q4_0(32, 2 + 16, BlockDecoder::q4_0, BlockDot::q4_0),
    /** d, m, nibbles; w = d q + m. */
    Q4_1(32, 2 + 2 + 16, BlockDecoder::q4_1, BlockDot::q4_1),
    /** d, fifth bits of the 32 values, nibbles; w = d (q - 16). */
    Q5_0(32, 2 + 4 + 16, BlockDecoder::q5_0, null),
    /** d, m, fifth bits, nibbles; w = d q + m. */
    Q5_1(32, 2 + 2 + 4 + 16, BlockDecoder::q5_1, null),
    /** d, 32 signed bytes; w = d q. */
    Q8_0(32, 2 + 32, BlockDecoder::q8, BlockDot::q8_0),
    /** 16 bytes of 4-bit scale s and minimum n for 16 values each, 2-bit values, d, m; w = d s q - m n. */
    Q2_K(256, 16 + 64 + 2 + 2, BlockDecoder::q2k, null),
    /** Third bits, 2-bit values, 16 scales s of 6 bits, d; w = d (s - 32) (q - 4). */
    Q3_K(256, 32 + 64 + 12 + 2, BlockDecoder::q3k, null),
    /** d, m, 8 pairs of 6-bit scale s and minimum n for 32 values each, nibbles; w = d s q - m n. */
    Q4_K(256, 2 + 2 + 12 + 128, BlockDecoder::q4k, null),
    /** d, m, pairs as Q4_K, fifth bits, nibbles; w = d s q - m n. */
    Q5_K(256, 2 + 2 + 12 + 32 + 128, BlockDecoder::q5k, null),
    /** Lower 4 bits, upper 2 bits, 16 signed bytes s, d; w = d s (q - 32). */
    Q6_K(256, 128 + 64 + 16 + 2, BlockDecoder::q6k, null),
    /** d, nibbles that number 16 fixed values; w = d v[q]. */
    IQ4_NL(32, 2 + 16, BlockDecoder::iq4nl, null),
    /** d, upper 2 and lower 4 bits of 8 scales s for 32 values each, nibbles as IQ4_NL; w = d (s - 32) v[q]. */
    IQ4_XS(256, 2 + 2 + 4 + 128, BlockDecoder::iq4xs, null),
    /** An E8M0 scale s, nibbles of E2M1 values; w = s q. */
    MXFP4(32, 1 + 16, BlockDecoder::mxfp4, null);

    private final int blockValues;
    private final int blockBytes;
    private final Decoder decoder;
    private final Dot dot;

    /** One block, whose first byte is {@code at}, to the floats from {@code to} on. */
    interface Decoder {
        void decode(byte[] bytes, int at, float[] out, int to);
    }

    /** A row of blocks times x[at ...]. */
    interface Dot {
        float dot(byte[] row, int columns, float[] x, int at);
    }

    Block(int blockValues, int blockBytes, Decoder decoder, Dot dot) {
        this.blockValues = blockValues;
        this.blockBytes = blockBytes;
        this.decoder = decoder;
        this.dot = dot;
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
    public String title() {
        return name();
    }

    @Override
    public long rowBytes(int columns) {
        return (long) (columns / blockValues) * blockBytes;
    }

    @Override
    public int granularity() {
        return blockValues;
    }

    @Override
    public void decode(StoredRow row, int columns, float[] out) {
        for (int at = 0, to = 0; to < columns; at += blockBytes, to += blockValues) {
            decoder.decode(row.values, at, out, to);
        }
    }

    @Override
    public boolean hasDot() {
        return dot != null;
    }

    @Override
    public float dot(StoredRow row, int columns, float[] x, int at) {
        return dot.dot(row.values, columns, x, at);
    }
}
