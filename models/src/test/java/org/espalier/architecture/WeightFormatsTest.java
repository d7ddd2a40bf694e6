package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a checkpoint's bytes to values, against what mlx and torch read from the same bytes. */
class WeightFormatsTest {

    private static final Path FORMATS = Path.of("src", "test", "resources", "formats");

    @ParameterizedTest
    @ValueSource(strings = {"mlx", "fp8"})
    void valuesEqualThoseThatOthersRead(String folder) {
        Checkpoint stored = Checkpoint.open(FORMATS.resolve(folder), Architectures.gguf());
        Checkpoint values = Checkpoint.open(FORMATS.resolve(folder + "_values"), Architectures.gguf());
        assertThat(stored.names()).containsExactlyInAnyOrderElementsOf(values.names());
        assertThat(stored.names()).isNotEmpty();
        for (String name : stored.names()) {
            same(name, stored.weight(name), values.weight(name));
        }
    }

    /** Rows that begin inside a block of fp8 values. */
    @Test
    void aSliceOfRowsKeepsItsFactors() {
        Weight stored =
                Checkpoint.open(FORMATS.resolve("fp8"), Architectures.gguf()).weight("cut.weight");
        Weight values = Checkpoint.open(FORMATS.resolve("fp8_values"), Architectures.gguf())
                .weight("cut.weight");
        for (int from = 0; from < stored.rows(); from++) {
            int rows = Math.min(5, stored.rows() - from);
            same("rows from " + from, stored.rows(from, rows), values.rows(from, rows));
        }
    }

    private static void same(String what, Weight actual, Weight expected) {
        assertThat(actual.count()).as(what).isEqualTo(expected.count());
        try (WeightReader reader = WeightReader.streaming()) {
            for (int index = 0; index < expected.count(); index++) {
                same(
                        what + " matrix " + index,
                        reader.open(what, actual).decode(index),
                        reader.open(what, expected).decode(index));
            }
        }
    }

    private static void same(String what, float[][] actual, float[][] expected) {
        assertThat(actual.length).as(what).isEqualTo(expected.length);
        for (int row = 0; row < expected.length; row++) {
            assertThat(actual[row]).as(what).hasSameSizeAs(expected[row]);
            for (int i = 0; i < expected[row].length; i++) {
                assertThat(actual[row][i])
                        .as(what + " row " + row + " value " + i)
                        .isCloseTo(expected[row][i], within(1e-6f * Math.max(1e-3f, Math.abs(expected[row][i]))));
            }
        }
    }
}
