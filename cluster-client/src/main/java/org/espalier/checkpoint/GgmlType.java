package org.espalier.checkpoint;

import java.util.Optional;

/**
 * The tensor types of a GGUF file that are known by name, with the sizes of ggml's {@code ggml_type}; those without a format are
 * listed so that a refusal can name them.
 */
enum GgmlType {
    F32(0, 1, 4, TensorFormat.Plain.F32),
    F16(1, 1, 2, TensorFormat.Plain.F16),
    Q4_0(2, TensorFormat.GgufBlock.Q4_0),
    Q4_1(3, TensorFormat.GgufBlock.Q4_1),
    Q5_0(6, 32, 22, null),
    Q5_1(7, 32, 24, null),
    Q8_0(8, TensorFormat.GgufBlock.Q8_0),
    Q2_K(10, 256, 84, null),
    Q3_K(11, 256, 110, null),
    Q4_K(12, 256, 144, null),
    Q5_K(13, 256, 176, null),
    Q6_K(14, 256, 210, null),
    Q8_K(15, 256, 292, null),
    IQ4_NL(20, 32, 18, null),
    IQ4_XS(23, 256, 136, null),
    BF16(30, 1, 2, TensorFormat.Plain.BF16),
    MXFP4(39, 32, 17, null);

    private final int id;
    private final int blockValues;
    private final int blockBytes;
    private final TensorFormat format;

    GgmlType(int id, int blockValues, int blockBytes, TensorFormat format) {
        this.id = id;
        this.blockValues = blockValues;
        this.blockBytes = blockBytes;
        this.format = format;
    }

    GgmlType(int id, TensorFormat.GgufBlock format) {
        this(id, format.blockValues(), format.blockBytes(), format);
    }

    static Optional<GgmlType> of(int id) {
        for (GgmlType type : values()) {
            if (type.id == id) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    int blockValues() {
        return blockValues;
    }

    int blockBytes() {
        return blockBytes;
    }

    /** Empty where values of this type are not computed with. */
    Optional<TensorFormat> format() {
        return Optional.ofNullable(format);
    }
}
