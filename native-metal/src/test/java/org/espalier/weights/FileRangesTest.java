package org.espalier.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.espalier.weights.FileRanges.Range;
import org.junit.jupiter.api.Test;

/** Numbers are worked out by hand beside each. */
class FileRangesTest {

    private static final Path FILE = Path.of("a.safetensors");
    private static final long MIB = 1 << 20;

    /** F32, four bytes a value. */
    private static Weight floats(long offset, int rows, int columns) {
        return Weight.matrix(rows, columns, Plain.F32, Piece.of(new Region(FILE, offset, 4L * columns)));
    }

    private static List<Range> ranges(long gap, Weight... weights) {
        return FileRanges.of(List.of(weights), gap).byFile().getOrDefault(FILE, List.of());
    }

    @Test
    void aMatrixIsItsRows() {
        assertThat(ranges(0, floats(7, 3, 5))).containsExactly(new Range(7, 7 + 3 * 20));
    }

    @Test
    void theSameBytesCountOnce() {
        Weight embedding = floats(8, 10, 4); // bytes 8 to 168
        FileRanges both = FileRanges.of(List.of(embedding, floats(8, 10, 4), floats(88, 10, 4)), 0);
        assertThat(both.byFile().get(FILE)).containsExactly(new Range(8, 248)); // the third goes on from 168 to 248
        assertThat(both.bytes()).isEqualTo(240);
    }

    @Test
    void othersAreTakenOut() {
        Path other = Path.of("b.safetensors");
        FileRanges all = new FileRanges(Map.of(
                FILE,
                List.of(new Range(10, 20), new Range(30, 40), new Range(50, 60)),
                other,
                List.of(new Range(0, 5))));
        FileRanges holes = new FileRanges(Map.of(
                FILE,
                List.of(new Range(0, 12), new Range(14, 15), new Range(19, 31), new Range(35, 40), new Range(50, 70))));
        assertThat(all.without(holes).byFile())
                .containsEntry(FILE, List.of(new Range(12, 14), new Range(15, 19), new Range(31, 35)))
                .containsEntry(other, List.of(new Range(0, 5)));
        assertThat(all.without(new FileRanges(Map.of()))).isEqualTo(all);
    }

    @Test
    void aGapOfLessThanTheLimitIsFetchedToo() {
        Weight first = floats(0, 1, 1); // bytes 0 to 4
        Weight near = floats(4 + MIB - 1, 1, 1); // 1 MiB less a byte behind it
        Weight far = floats(4 + MIB - 1 + 4 + MIB, 1, 1); // exactly 1 MiB behind that
        assertThat(ranges(MIB, far, first, near))
                .containsExactly(new Range(0, 7 + MIB), new Range(7 + 2 * MIB, 11 + 2 * MIB));
        assertThat(ranges(0, far, first, near)).hasSize(3);
    }

    @Test
    void touchingRangesAreOne() {
        assertThat(ranges(0, floats(0, 2, 2), floats(16, 1, 2), floats(25, 1, 1)))
                .containsExactly(new Range(0, 24), new Range(25, 29));
    }

    @Test
    void filesAreApart() {
        Path other = Path.of("b.safetensors");
        Weight there = Weight.matrix(1, 2, Plain.F32, Piece.of(new Region(other, 100, 8)));
        FileRanges both = FileRanges.of(List.of(floats(100, 1, 2), there), MIB);
        assertThat(both.byFile().keySet()).containsExactly(FILE, other);
        assertThat(both.bytes()).isEqualTo(16);
    }

    /** Columns 4 to 8 of 3 rows of 16 values: 16 bytes of every 64, from byte 16 on. */
    @Test
    void aSliceOfColumnsIsAPieceOfEveryRow() {
        Weight slice = floats(0, 3, 16).columns(4, 4);
        assertThat(ranges(0, slice)).containsExactly(new Range(16, 32), new Range(80, 96), new Range(144, 160));
        assertThat(ranges(49, slice)).containsExactly(new Range(16, 160)); // 48 bytes lie between them
        assertThat(ranges(48, slice)).hasSize(3);
    }

    /** gpt-oss: gate has rows 0, 2, 4 and up rows 1, 3, 5 of the same 6 rows of 8 bytes. */
    @Test
    void interleavedRowsAreTheWhole() {
        Pieces rows = new Pieces.Stack(Piece.of(new Region(FILE, 40, 8)), 6, 1);
        Weight gate = new Weight(3, 2, Plain.F32, false, 0, 2, rows);
        Weight up = new Weight(3, 2, Plain.F32, false, 1, 2, rows);
        assertThat(ranges(0, gate)).containsExactly(new Range(40, 48), new Range(56, 64), new Range(72, 80));
        assertThat(ranges(0, up, gate)).containsExactly(new Range(40, 88));
    }

    /** 24 layers of 32 experts of 2 * 2880 interleaved rows of 1440 bytes: 4.4 million rows, and one range. */
    @Test
    void millionsOfInterleavedRowsAreNotMillionsOfRanges() {
        int all = 24 * 32;
        Pieces stack =
                new Pieces.Stack(new Piece(new Region(FILE, 0, 1440), new Region(FILE, 1L << 40, 90), null), 5760, all);
        Weight gate = new Weight(2880, 2880, Scaled.MXFP4, false, 0, 2, stack);
        Weight up = new Weight(2880, 2880, Scaled.MXFP4, false, 1, 2, stack);
        assertThat(ranges(0, gate, up))
                .containsExactly(new Range(0, all * 5760L * 1440), new Range(1L << 40, (1L << 40) + all * 5760L * 90));
    }

    /** As transformers writes gpt-oss: values of gate in even and up in odd columns. Both read the rows whole. */
    @Test
    void transposedRowsAreReadUpToTheLastValue() {
        Pieces rows = new Pieces.Stack(Piece.of(new Region(FILE, 0, 24)), 4, 1); // 4 rows of 6 values
        Weight gate = new Weight(3, 4, Plain.F32, true, 0, 2, rows);
        Weight up = new Weight(3, 4, Plain.F32, true, 1, 2, rows);
        // Of each row gate needs values 0 to 4, 20 bytes; up needs value 5 as well.
        assertThat(ranges(0, gate))
                .containsExactly(new Range(0, 20), new Range(24, 44), new Range(48, 68), new Range(72, 92));
        assertThat(ranges(0, gate, up)).containsExactly(new Range(0, 96));
    }

    /** DeepSeek's fp8: 300 rows of 256 values, a row of two F32 scales for each 128 rows; scales from byte 100,000 on. */
    private static Weight fp8() {
        Region values = new Region(FILE, 0, 256);
        Region scales = new Region(FILE, 100_000, 8, 128, 0);
        return Weight.matrix(300, 256, new Scaled(Element.E4M3, 128, Element.F32), new Piece(values, scales, null));
    }

    @Test
    void sharedRowsOfScalesCountOnce() {
        // 300 rows are in blocks of 128, 128 and 44: 3 rows of 8 bytes
        assertThat(ranges(0, fp8())).containsExactly(new Range(0, 300 * 256), new Range(100_000, 100_024));
        assertThat(fp8().bytes()).isEqualTo(300 * 256 + 24);
    }

    @Test
    void aSliceTakesTheScalesOfTheBlocksThatItTouches() {
        // rows 100 to 200 lie in the blocks of rows 0 to 128 and 128 to 256
        Weight slice = fp8().rows(100, 100);
        assertThat(ranges(0, slice)).containsExactly(new Range(25_600, 51_200), new Range(100_000, 100_016));
        assertThat(slice.bytes()).isEqualTo(100 * 256 + 16);
        // rows 130 to 140 in the second only
        assertThat(ranges(0, fp8().rows(130, 10))).contains(new Range(100_008, 100_016));
        assertThat(fp8().rows(130, 10).bytes()).isEqualTo(10 * 256 + 8);
    }

    /**
     * kv_b of 2 heads with 40 rows for keys and 60 for values each, in blocks of 128 rows: keys of head 1 are rows 100 to 140, in both blocks
     * of scales, and so both halves of the projection read both rows of scales.
     */
    @Test
    void halvesOfAProjectionShareTheirScales() {
        Piece whole = new Piece(new Region(FILE, 0, 128), new Region(FILE, 50_000, 4, 128, 0), null);
        Scaled format = new Scaled(Element.E4M3, 128, Element.F32);
        Weight keys = Weight.matrices(40, 128, format, List.of(whole, whole.skipRows(100)));
        Weight values = Weight.matrices(60, 128, format, List.of(whole.skipRows(40), whole.skipRows(140)));
        // 200 rows of 128 bytes and 2 scales of 4 bytes
        assertThat(ranges(0, keys, values)).containsExactly(new Range(0, 25_600), new Range(50_000, 50_008));
    }

    @Test
    void expertsOfAStackAreReadByThemselves() {
        Weight stack = Weight.stack(2, 4, Plain.F32, Piece.of(new Region(FILE, 0, 16)), 8); // 32 bytes an expert
        assertThat(ranges(0, stack)).containsExactly(new Range(0, 256));
        assertThat(ranges(0, stack.pick(List.of(1, 5, 6)))).containsExactly(new Range(32, 64), new Range(160, 224));
    }

    @Test
    void containsSaysWhetherEveryByteIsThere() {
        FileRanges present = FileRanges.of(List.of(floats(0, 2, 4), floats(100, 1, 4)), 0); // 0 to 32, 100 to 116
        Stream.of(floats(0, 2, 4), floats(16, 1, 4), floats(100, 1, 1), floats(112, 1, 1))
                .forEach(weight -> assertThat(present.contain(FileRanges.of(List.of(weight), 0)))
                        .as(weight.toString())
                        .isTrue());
        Stream.of(floats(28, 1, 2), floats(96, 1, 2), floats(112, 1, 2), floats(50, 1, 1))
                .forEach(weight -> assertThat(present.contain(FileRanges.of(List.of(weight), 0)))
                        .as(weight.toString())
                        .isFalse());
        Weight elsewhere = Weight.matrix(1, 1, Plain.F32, Piece.of(new Region(Path.of("b"), 0, 4)));
        assertThat(present.contain(FileRanges.of(List.of(elsewhere), 0))).isFalse();
    }
}
