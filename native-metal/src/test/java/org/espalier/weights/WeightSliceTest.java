package org.espalier.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows and columns of weights, however they are stored. */
class WeightSliceTest {

    @TempDir
    Path directory;

    /** 2 matrices of 4 x 6: value 100 matrix + 10 row + column. */
    private Weight numbers(boolean transposed) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(2 * 24 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 48; i++) {
            int at = i % 24;
            int row = transposed ? at % 4 : at / 6;
            int column = transposed ? at / 4 : at % 6;
            bytes.putFloat(100 * (i / 24) + 10 * row + column);
        }
        Path file = directory.resolve(transposed + ".bin");
        Files.write(file, bytes.array());
        Piece first = Piece.of(new Region(file, 0, (transposed ? 4 : 6) * Float.BYTES));
        return new Weight(4, 6, Plain.F32, transposed, 0, 1, new Pieces.Stack(first, transposed ? 6 : 4, 2));
    }

    private static float[][] second(Weight weight) {
        try (WeightReader reader = WeightReader.mapped()) {
            return reader.open("w", weight).decode(1);
        }
    }

    @Test
    void rowsAndColumnsAreThoseOfTheMatrix() throws IOException {
        for (boolean transposed : new boolean[] {false, true}) {
            Weight whole = numbers(transposed);
            assertThat(second(whole.columns(2, 3)))
                    .isDeepEqualTo(new float[][] {{102, 103, 104}, {112, 113, 114}, {122, 123, 124}, {132, 133, 134}});
            assertThat(second(whole.rows(1, 2)))
                    .isDeepEqualTo(new float[][] {{110, 111, 112, 113, 114, 115}, {120, 121, 122, 123, 124, 125}});
            assertThat(second(whole.rows(2, 2).columns(3, 2))).isDeepEqualTo(new float[][] {{123, 124}, {133, 134}});
            assertThat(whole.rows(0, 4)).isEqualTo(whole);
            assertThat(whole.columns(0, 6)).isEqualTo(whole);
        }
    }

    /** Every second stored column, as gpt-oss has gate and up. */
    @Test
    void interleavedRowsAreSlicedToo() throws IOException {
        Weight stored = numbers(true);
        Weight odd = new Weight(2, 6, Plain.F32, true, 1, 2, stored.pieces());
        assertThat(second(odd)[1]).startsWith(130, 131);
        Weight last = odd.rows(1, 1);
        assertThat(second(last)).isDeepEqualTo(new float[][] {{130, 131, 132, 133, 134, 135}});
        assertThat(last.bytes()).isEqualTo(2 * 6 * Float.BYTES);
    }

    /** Blocks of rows, as Qwen3-Next has, head by head, a query and its gate. */
    @Test
    void blocksOfRowsAreAMatrixOfTheirOwn() throws IOException {
        Weight stored = Weight.matrix(8, 6, Plain.F32, numbers(false).pieces().get(0));
        Weight gates = stored.rowBlocks(1, 1, 2);
        Weight queries = stored.rowBlocks(0, 2, 4);
        Weight others = stored.rowBlocks(2, 2, 4);
        try (WeightReader reader = WeightReader.mapped()) {
            assertThat(column(reader.open("g", gates))).containsExactly(10, 30, 110, 130);
            assertThat(column(reader.open("q", queries))).containsExactly(0, 10, 100, 110);
            assertThat(column(reader.open("o", others))).containsExactly(20, 30, 120, 130);
            assertThat(column(reader.open("s", others.rows(2, 2)))).containsExactly(120, 130);
            Matrix columns = reader.open("c", others.columns(2, 3));
            columns.copy(() -> {});
            assertThat(columns.decode(0)[3]).containsExactly(132, 133, 134);
        }
        assertThat(others.bytes()).isEqualTo(4 * 6 * Float.BYTES);
        assertThat(FileRanges.of(List.of(others), 0).bytes()).isEqualTo(others.bytes());
        assertThat(FileRanges.of(List.of(queries, others), 0)).isEqualTo(FileRanges.of(List.of(stored), 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> others.rows(1, 2))
                .withMessage("rows 1 to 3 of a weight with 4 rows in blocks of 2 cannot be sliced");
        assertThatIllegalArgumentException().isThrownBy(() -> others.rowBlocks(0, 1, 2));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> stored.rowBlocks(0, 2, 3))
                .withMessage("blocks of 2 rows from 0 on, every 3, cannot be taken of a weight with 8 rows");
        assertThatIllegalArgumentException().isThrownBy(() -> stored.rowBlocks(3, 2, 4));
    }

    private static float[] column(Matrix matrix) {
        float[][] rows = matrix.decode(0);
        float[] first = new float[rows.length];
        for (int row = 0; row < rows.length; row++) {
            first[row] = rows[row][0];
        }
        return first;
    }

    /** Of rows that interleave, only a cut is copied, and of it only its own values. */
    @Test
    void copiesOfInterleavedRowsHaveNothingBetween() throws IOException {
        Weight stored = numbers(true);
        Weight even = new Weight(2, 6, Plain.F32, true, 0, 2, stored.pieces());
        Weight odd = new Weight(2, 6, Plain.F32, true, 1, 2, stored.pieces());
        assertThat(even.isPartOfRows()).isFalse();
        assertThat(odd.isPartOfRows()).isFalse();
        Weight first = even.rows(0, 1);
        assertThat(first.isPartOfRows()).isTrue();
        try (WeightReader reader = WeightReader.streaming()) {
            Matrix matrix = reader.open("w", first);
            matrix.copy(() -> {});
            assertThat(matrix.decode(1)).isDeepEqualTo(new float[][] {{100, 101, 102, 103, 104, 105}});
            assertThat(matrix.weight().storedColumns()).isEqualTo(1);
        }
        assertThat(first.bytes()).isEqualTo(2 * 6 * Float.BYTES);
    }

    @Test
    void vectorsAreSlicedWhicheverWayTheyLie() throws IOException {
        Weight row = numbers(false).rows(2, 1);
        assertThat(second(row.values(1, 3))).isDeepEqualTo(new float[][] {{121, 122, 123}});
        Weight column = numbers(true).columns(2, 1);
        assertThat(second(column.values(1, 3))).isDeepEqualTo(new float[][] {{112}, {122}, {132}});
    }

    @Test
    void theLastGroupMayBeShort() {
        Weight weight = Weight.matrix(4, 320, new Scaled(Element.E4M3, 128, Element.F32), piece(320));
        assertThat(weight.columns(256, 64).columns()).isEqualTo(64);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> weight.columns(128, 64))
                .withMessage("columns 128 to 192 of a weight with 320 columns in groups of 128 cannot be sliced");
        assertThatIllegalArgumentException().isThrownBy(() -> weight.columns(64, 128));
        assertThatIllegalArgumentException().isThrownBy(() -> weight.columns(256, 128));
        assertThatIllegalArgumentException().isThrownBy(() -> weight.rows(3, 2));
    }

    private static Piece piece(long rowBytes) {
        Region values = new Region(Path.of("w"), 0, rowBytes);
        return new Piece(values, new Region(Path.of("w"), 0, 12, 128, 0), null);
    }

    /** Only pieces of rows are copied; once copied, they no longer need the file. */
    @Test
    void piecesOfRowsAreCopiedOnce() throws IOException {
        Weight whole = numbers(false);
        Weight columns = whole.columns(2, 3);
        assertThat(whole.isPartOfRows()).isFalse();
        assertThat(whole.rows(1, 2).isPartOfRows()).isFalse();
        assertThat(columns.isPartOfRows()).isTrue();
        assertThat(numbers(true).rows(1, 2).isPartOfRows()).isTrue();
        assertThat(numbers(true).columns(1, 2).isPartOfRows()).isFalse();
        whole = numbers(false);
        try (WeightReader reader = WeightReader.streaming()) {
            Matrix copied = reader.open("w", whole.columns(2, 3));
            Matrix inPlace = reader.open("w", whole.columns(2, 3));
            copied.copy(() -> {});
            Files.write(whole.pieces().get(0).values().file(), new byte[2 * 24 * Float.BYTES]);
            assertThat(copied.decode(1)[3]).containsExactly(132, 133, 134);
            assertThat(inPlace.decode(1)[3]).containsExactly(0, 0, 0);
        }
    }

    /** Three rows that share a scale row with the row before them and one that begins the next. */
    @Test
    void sharedScalesAreCopiedOnceToo() throws IOException {
        Path file = directory.resolve("fp8.bin");
        ByteBuffer bytes = ByteBuffer.allocate(8 * 4 + 2 * 2 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 32; i++) {
            bytes.put((byte) 0x38); // 1
        }
        bytes.putFloat(2).putFloat(3).putFloat(5).putFloat(7);
        Files.write(file, bytes.array());
        Scaled format = new Scaled(Element.E4M3, 2, Element.F32);
        Piece piece = new Piece(new Region(file, 0, 4), new Region(file, 32, 8, 4, 0), null);
        Weight slice = Weight.matrix(8, 4, format, piece).rows(1, 4).columns(2, 2);
        try (WeightReader reader = WeightReader.streaming()) {
            Matrix matrix = reader.open("w", slice);
            float[][] expected = {{3, 3}, {3, 3}, {3, 3}, {7, 7}};
            assertThat(matrix.decode(0)).isDeepEqualTo(expected);
            matrix.copy(() -> {});
            assertThat(matrix.decode(0)).isDeepEqualTo(expected);
        }
        assertThat(slice.bytes()).isEqualTo(4 * 2 + 2 * Float.BYTES);
    }
}
