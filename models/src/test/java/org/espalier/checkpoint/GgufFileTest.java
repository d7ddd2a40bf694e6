package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GgufFileTest {

    @TempDir
    Path folder;

    private GgufFile read(GgufBuilder builder) {
        return GgufFile.read(builder.write(folder.resolve("model.gguf")));
    }

    private void refused(GgufBuilder builder, String message) {
        assertThatThrownBy(() -> read(builder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(folder.resolve("model.gguf").toString())
                .hasMessageContaining(message);
    }

    @Test
    void readsMetadataAndPlaces() {
        GgufFile file = read(new GgufBuilder()
                .version(2)
                .key("text", "grün")
                .key("whole", -1)
                .key("real", 0.5f)
                .key("truth", true)
                .key("list", List.of("a", "", "c"))
                .tensor("t", GgmlType.Q8_0, 3, 64)
                .tensor("u", GgmlType.F32, 2));
        assertThat(file.metadata())
                .containsEntry("text", "grün")
                .containsEntry("whole", 4_294_967_295L) // unsigned in the file
                .containsEntry("real", 0.5f)
                .containsEntry("truth", true)
                .containsEntry("list", List.of("a", "", "c"));
        GgufFile.Tensor t = file.tensors().get("t");
        assertThat(t.shape()).containsExactly(3L, 64L);
        assertThat(t.bytes()).contains(3L * 2 * 34);
        assertThat(t.offset() % 32).isZero();
        assertThat(file.tensors().get("u").offset()).isEqualTo(t.offset() + 224); // 204 rounded up to 32
    }

    @Test
    void everyTruncationIsNoticed() {
        byte[] whole = GgufBuilder.llama().bytes();
        Path file = folder.resolve("model.gguf");
        for (int length = 0; length < whole.length; length += 7) {
            SafetensorsBuilder.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> GgufFile.read(file)).isInstanceOf(CheckpointException.class);
        }
        SafetensorsBuilder.write(file, Arrays.copyOf(whole, whole.length - 1));
        assertThatThrownBy(() -> GgufFile.read(file))
                .hasMessageContaining("is cut off: tensor blk.0.attn_q.weight needs 576 bytes");
    }

    @Test
    void wrongMagicAndVersionsAreRefused() {
        assertThatThrownBy(() -> GgufFile.read(SafetensorsBuilder.write(folder.resolve("x"), new byte[64])))
                .hasMessageEndingWith("is not a GGUF file: it does not begin with the bytes GGUF");
        refused(new GgufBuilder().version(1), "is of GGUF version 1, expected 2 or 3, little-endian");
        refused(new GgufBuilder().version(3 << 24), "(a big-endian file)");
    }

    @Test
    void hostileCountsAndLengthsAreNotAllocated() {
        refused(new GgufBuilder().brokenArray("k", 8, Long.MAX_VALUE), "k would have 9223372036854775807 elements");
        refused(new GgufBuilder().brokenArray("k", 0, -1), "k would have 18446744073709551615 elements");
        refused(new GgufBuilder().brokenArray("k", 8, 5_000_000), "k would have 5000000 elements");
        refused(new GgufBuilder().brokenArray("k", 9, 1), "an array of arrays");
        refused(new GgufBuilder().brokenKey("k", 77), "k is of the unknown type 77");
        byte[] counts = new GgufBuilder().bytes();
        Arrays.fill(counts, 8, 16, (byte) 0x7F);
        assertThatThrownBy(() -> GgufFile.read(SafetensorsBuilder.write(folder.resolve("x"), counts)))
                .hasMessageContaining("it says it has 9187201950435737471 tensors");
    }

    /** 65,000 of them in less than 2 MB: kept in what they need. */
    @Test
    void emptyListsTakeNoMemory() {
        GgufBuilder builder = new GgufBuilder();
        for (int i = 0; i < 65_000; i++) {
            builder.brokenArray("k" + i, 8, 0);
        }
        GgufFile file = read(builder);
        assertThat(file.metadata()).hasSize(65_000);
        long kept = file.metadata().values().stream()
                .mapToLong(list -> ((StoredTexts) list).keptBytes())
                .sum();
        assertThat(kept).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 255",
        "1, -1",
        "2, 65535",
        "3, -1",
        "4, 4294967295",
        "5, -1",
        "7, true",
        "10, 18446744073709551615",
        "11, -1"
    })
    void numbersOfListsKeepTheirTypes(int type, String allBitsSet) {
        byte[] bytes = new byte[3 * StoredNumbers.size(type)];
        Arrays.fill(bytes, 0, bytes.length / 3, (byte) 0xFF);
        StoredNumbers numbers = new StoredNumbers(type, bytes);
        assertThat(numbers).hasSize(3);
        assertThat(numbers.get(0)).hasToString(allBitsSet);
        assertThat(numbers.get(2)).hasToString(type == 7 ? "false" : "0");
        assertThatThrownBy(() -> numbers.get(3)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void textsOfListsAreReadWholeHoweverLong() {
        List<String> texts = List.of("ä".repeat(100_000), "", "b".repeat(65_536), "c");
        GgufFile file = read(new GgufBuilder().key("list", texts).key("after", "d"));
        assertThat(file.metadata()).containsEntry("list", texts).containsEntry("after", "d");
    }

    @Test
    void lengthsOfTextsInListsAreChecked() {
        byte[] bytes = new GgufBuilder().key("k", List.of("a", "text")).bytes();
        int length = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("text") - Long.BYTES;
        Path path = folder.resolve("x");
        bytes[length] = 127;
        assertThatThrownBy(() -> GgufFile.read(SafetensorsBuilder.write(path, bytes)))
                .hasMessageContaining("k needs 127 bytes at offset " + (length + Long.BYTES));
        Arrays.fill(bytes, length, length + Long.BYTES, (byte) 0x7F);
        assertThatThrownBy(() -> GgufFile.read(SafetensorsBuilder.write(path, bytes)))
                .hasMessageContaining("k would have 9187201950435737471 bytes");
        Arrays.fill(bytes, length, length + Long.BYTES, (byte) 0xFF);
        assertThatThrownBy(() -> GgufFile.read(SafetensorsBuilder.write(path, bytes)))
                .hasMessageContaining("k would have 18446744073709551615 bytes");
    }

    @Test
    void tensorsThatDoNotFitAreRefused() {
        refused(new GgufBuilder().info("t", 0, 0, 1, 1, 1, 1, 1), "t would have 5 dimensions, expected 1 to 4");
        refused(new GgufBuilder().info("t", 0, 0, 0), "t has the shape [0]");
        refused(new GgufBuilder().info("t", 0, 0, Long.MAX_VALUE), "t has the shape [9223372036854775807]");
        refused(
                new GgufBuilder().info("t", 0, 0, 2_000_000_000, 1, 2_000_000_000, 2_000_000_000),
                "t has the shape [2000000000, 1, 2000000000, 2000000000], more than a file can hold");
        refused(new GgufBuilder().info("t", 0, 3, 1), "t begins at 3, expected a multiple of 32");
        refused(new GgufBuilder().info("t", 0, 32, 8), "is cut off: tensor t needs 32 bytes at byte 32");
        refused(new GgufBuilder().info("t", 2, 0, 33), "rows of 33 values, expected whole Q4_0 blocks of 32");
        refused(new GgufBuilder().info("t", 99, 64, 33), "is cut off: tensor t");
        refused(
                new GgufBuilder().tensor("t", GgmlType.F32, 16).info("u", 0, 32, 4),
                "tensor u begins at byte 32 of the data, expected 64");
        refused(new GgufBuilder().tensor("t", GgmlType.F32, 1).tensor("t", GgmlType.F32, 1), "duplicate tensor t");
        refused(new GgufBuilder().key("k", 1).key("k", 2), "duplicate metadata key k");
        refused(new GgufBuilder().key("general.alignment", 12), "general.alignment is 12, expected a power of two");
    }

    /** Another type of fewer bytes leaves some over, which would be read as nothing, and the rest as something else. */
    @Test
    void holesBetweenTensorsAreRefused() {
        byte[] f32 = new byte[64 * Float.BYTES];
        read(new GgufBuilder().tensor("t", 0, f32, 64).tensor("u", GgmlType.F32, 4));
        refused(
                new GgufBuilder().tensor("t", 1, f32, 64).tensor("u", GgmlType.F32, 4),
                "tensor u begins at byte 256 of the data, expected 128, where what is before it ends");
        refused(
                new GgufBuilder().tensor("t", 0, f32, 8, 4).tensor("u", GgmlType.F32, 4),
                "tensor u begins at byte 256 of the data, expected 128");
        refused(
                new GgufBuilder().tensor("t", 0, f32, 64).info("u", 0, 32, 8),
                "tensor u begins at byte 32 of the data, expected 256");
        read(new GgufBuilder()
                .tensor("t", 99, f32, 64)
                .tensor("u", GgmlType.F32, 4)); // nobody here knows how long t is
        refused(
                new GgufBuilder().tensor("t", 99, f32, 64).info("u", 0, 0, 8),
                "tensor u begins at byte 0 of the data, expected at least 32");
        refused(
                new GgufBuilder()
                        .info("u", 0, 32, 8)
                        .tensor("t", 0, new byte[32], 8)
                        .tensor("v", GgmlType.F32, 8),
                "tensor u begins at byte 32 of the data, expected 0");
    }

    @Test
    void whatIsAlignedByZerosIsNoHole() {
        GgufFile file = read(new GgufBuilder()
                .tensor("t", GgmlType.F32, 1)
                .tensor("u", GgmlType.Q4_0, 3, 32)
                .tensor("unknown", 99, new byte[1000], 33)
                .tensor("v", GgmlType.F32, 9));
        long start = file.tensors().get("t").offset();
        assertThat(file.tensors().get("u").offset()).isEqualTo(start + 32);
        assertThat(file.tensors().get("unknown").offset()).isEqualTo(start + 96);
        assertThat(file.tensors().get("v").offset()).isEqualTo(start + 96 + 1024);
    }
}
