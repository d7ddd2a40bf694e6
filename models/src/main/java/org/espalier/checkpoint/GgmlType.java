package org.espalier.checkpoint;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.espalier.weights.Block;
import org.espalier.weights.Plain;
import org.espalier.weights.WeightFormat;

/**
 * The tensor types of a GGUF file that are known by name, with the sizes of ggml's {@code ggml_type}; those without a format are
 * listed so that a refusal can name them.
 */
enum GgmlType {
    F32(0, 1, 4, Plain.F32),
    F16(1, 1, 2, Plain.F16),
    Q4_0(2, Block.Q4_0),
    Q4_1(3, Block.Q4_1),
    Q5_0(6, Block.Q5_0),
    Q5_1(7, Block.Q5_1),
    Q8_0(8, Block.Q8_0),
    Q2_K(10, Block.Q2_K),
    Q3_K(11, Block.Q3_K),
    Q4_K(12, Block.Q4_K),
    Q5_K(13, Block.Q5_K),
    Q6_K(14, Block.Q6_K),
    Q8_K(15, 256, 292, null),
    IQ2_XXS(16, 256, 66, null),
    IQ2_XS(17, 256, 74, null),
    IQ3_XXS(18, 256, 98, null),
    IQ1_S(19, 256, 50, null),
    IQ4_NL(20, Block.IQ4_NL),
    IQ3_S(21, 256, 110, null),
    IQ2_S(22, 256, 82, null),
    IQ4_XS(23, Block.IQ4_XS),
    I8(24, 1, 1, null),
    I16(25, 1, 2, null),
    I32(26, 1, 4, null),
    I64(27, 1, 8, null),
    F64(28, 1, 8, null),
    IQ1_M(29, 256, 56, null),
    BF16(30, 1, 2, Plain.BF16),
    TQ1_0(34, 256, 54, null),
    TQ2_0(35, 256, 66, null),
    MXFP4(39, Block.MXFP4),
    NVFP4(40, 64, 36, null);

    private final int id;
    private final int blockValues;
    private final int blockBytes;
    private final WeightFormat format;

    GgmlType(int id, int blockValues, int blockBytes, WeightFormat format) {
        this.id = id;
        this.blockValues = blockValues;
        this.blockBytes = blockBytes;
        this.format = format;
    }

    GgmlType(int id, Block format) {
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

    /** Empty where values of this type are not supported. */
    Optional<WeightFormat> format() {
        return Optional.ofNullable(format);
    }

    /** The types that are computed with, for messages. */
    static String served() {
        return Arrays.stream(values())
                .filter(type -> type.format != null)
                .map(Enum::name)
                .collect(Collectors.joining(", "));
    }
}
