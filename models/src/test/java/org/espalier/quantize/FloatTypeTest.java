package org.espalier.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FloatTypeTest {

    @ParameterizedTest
    @CsvSource({
        "BF16, 1, 3f80",
        "BF16, -2.5, c020",
        "BF16, 1.00390625, 3f80", // half way between two: to even
        "BF16, 1.01171875, 3f82",
        "BF16, 3.4e38, 7f80",
        "BF16, NaN, 7fc0",
        "F16, 1, 3c00",
        "F16, -2.5, c100",
        "F16, 65504, 7bff",
        "F16, 65519.9, 7bff",
        "F16, 65520, 7c00",
        "F16, 6.103515625e-05, 0400", // least normal
        "F16, 5.9604645e-08, 0001", // least subnormal
        "F16, 2.9e-08, 0000",
        "F16, 1.00048828125, 3c00", // half way: to even
        "F16, NaN, 7e00",
        "F16, -Infinity, fc00",
        "F32, 1, 3f800000"
    })
    void isWrittenAsTheNearestValue(FloatType type, float value, String expected) {
        byte[] bytes = new byte[4];
        type.put(value, bytes, 0);
        StringBuilder hex = new StringBuilder();
        for (int i = type.bytes() - 1; i >= 0; i--) {
            hex.append(String.format("%02x", bytes[i]));
        }
        assertThat(hex.toString()).isEqualTo(expected);
        byte[] again = new byte[4];
        type.put(type.round(value), again, 0);
        assertThat(again).isEqualTo(bytes);
    }
}
