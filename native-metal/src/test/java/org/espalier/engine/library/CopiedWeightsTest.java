package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.espalier.program.Program;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Matrix;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies of slices hold the same values as where they were cut from, and not the rest of the file. */
final class CopiedWeightsTest {

    private static final int MEGABYTE = 1 << 20;

    @TempDir
    Path directory;

    private Path random(String name) throws IOException {
        byte[] bytes = new byte[4 * MEGABYTE];
        new Random(name.hashCode()).nextBytes(bytes);
        for (int i = 3; i < bytes.length; i += 4) {
            bytes[i] &= 0x3f; // floats that are numbers
        }
        return Files.write(directory.resolve(name), bytes);
    }

    private static Program of(Map<String, Weight> weights) {
        return new Program("main", 1, List.of(), null, null, null, List.of(), weights, List.of());
    }

    @Test
    void slicesOfAllKinds() throws IOException {
        Path a = random("a");
        Path b = random("b");
        Region region = new Region(a, 4 * 12345, 4 * 96);
        Weight whole = Weight.matrix(40, 96, Plain.F32, Piece.of(region));
        Weight stack = Weight.stack(8, 96, Plain.F32, Piece.of(new Region(b, 4, 4 * 96)), 1000);
        Piece quantized = new Piece(
                new Region(a, MEGABYTE + 1, 96), new Region(a, 2 * MEGABYTE, 6), new Region(a, 3 * MEGABYTE, 6));
        Map<String, Weight> weights = Map.of(
                "columns", whole.columns(32, 32),
                "rows", whole.rows(20, 10),
                "tied", whole,
                "experts", stack.pick(List.of(3, 500, 40)),
                "everySecond", stack.pick(List.of(0, 2, 4)),
                "interleaved", new Weight(3, 40, Plain.F32, true, 1, 2, whole.pieces()),
                "affine",
                        Weight.matrix(8, 192, new Affine(4, 64, Element.BF16), quantized)
                                .columns(64, 64));
        Program copied = CopiedWeights.into(Files.createDirectories(directory.resolve("copied")), of(weights));
        try (WeightReader before = WeightReader.mapped();
                WeightReader after = WeightReader.mapped()) {
            for (String name : weights.keySet()) {
                Weight weight = weights.get(name);
                Weight moved = copied.weight(name);
                assertThat(moved.isPartOfRows()).as(name).isEqualTo(weight.isPartOfRows());
                Matrix from = before.open(name, weight);
                Matrix to = after.open(name, moved);
                float[] expected = new float[weight.columns()];
                float[] found = new float[weight.columns()];
                for (int matrix = 0; matrix < weight.count(); matrix++) {
                    for (int row = 0; row < weight.rows(); row++) {
                        from.decodeRow(matrix, row, expected);
                        to.decodeRow(matrix, row, found);
                        assertThat(found).as(name).isEqualTo(expected);
                    }
                    long offset = weight.pieces().get(matrix).values().offset();
                    assertThat(moved.pieces().get(matrix).values().offset() % 64)
                            .isEqualTo(offset % 64);
                }
            }
        }
        assertThat(Files.size(directory.resolve("copied/weights-0"))).isLessThan(MEGABYTE / 32);
        assertThat(Files.size(directory.resolve("copied/weights-1"))).isLessThan(MEGABYTE / 32);
        assertThat(directory.resolve("copied/weights-2")).doesNotExist();
    }
}
