package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {

    @TempDir
    Path folder;

    private void refused(byte[] bytes, String message) {
        Path file = SafetensorsBuilder.write(folder.resolve("model.safetensors"), bytes);
        assertThatThrownBy(() -> SafetensorsFile.read(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(message);
    }

    @Test
    void readsTypesShapesAndPlaces() {
        Path file = new SafetensorsBuilder()
                .format("pt")
                .tensor("a", "BF16", 3, 5)
                .tensor("scalar", "F32")
                .tensor("empty", "F32", 0, 7)
                .write(folder.resolve("x.safetensors"));
        SafetensorsFile read = SafetensorsFile.read(file);
        long start = file.toFile().length() - 3 * 5 * 2 - 4;
        assertThat(read.metadata()).containsEntry("format", "pt");
        assertThat(read.entries().get("a").begin()).isEqualTo(start);
        assertThat(read.entries().get("a").shape()).containsExactly(3L, 5L);
        assertThat(read.entries().get("scalar").bytes()).isEqualTo(4);
        assertThat(read.entries().get("scalar").begin()).isEqualTo(start + 30);
        assertThat(read.entries().get("empty").bytes()).isZero();
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> SafetensorsFile.read(folder.resolve("no")))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(folder.resolve("no") + " does not exist: check the path");
    }

    @Test
    void everyTruncationIsNoticed() {
        byte[] whole = new SafetensorsBuilder().tensor("a", "F32", 4).bytes();
        for (int length = 0; length < whole.length; length++) {
            refused(Arrays.copyOf(whole, length), "");
        }
        refused(Arrays.copyOf(whole, 3), "cut off or damaged: the length of the safetensors header needs 8 bytes");
        refused(Arrays.copyOf(whole, 20), "cut off or damaged: the safetensors header needs");
        refused(
                Arrays.copyOf(whole, whole.length - 1),
                "is cut off: tensor a ends at byte 16 of the data, the file has 15");
    }

    @Test
    void aHeaderBeyondTheLimitIsNotAllocated() {
        ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        refused(bytes.putLong(0, 100_000_001).array(), "its header would have 100000001 bytes");
        refused(bytes.putLong(0, -1).array(), "its header would have 18446744073709551615 bytes");
        refused(bytes.putLong(0, 99_999_999).array(), "needs 99999999 bytes at offset 8, the file has 56 left");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "F32 | 4 | 0 | 15 | do not fit",
                "F32 | 4 | 8 | 4 | do not fit",
                "F32 | 4611686018427387904,4 | 0 | 16 | do not fit",
                "F32 | -1 | 0 | 16 | not a whole number",
                "F32 | 1.5 | 0 | 16 | not a whole number",
                "F32 | 99999999999999999999 | 0 | 16 | not a whole number",
                "F32 | 1,1,1,1,1,1,1,1,4 | 0 | 16 | too many",
                "X7 | 4 | 0 | 999 | ends at byte 999"
            })
    void shapesAndOffsetsThatDoNotFitAreRefused(String type, String shape, long begin, long end, String message) {
        String header = "{\"a\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + begin + ","
                + end + "]}}";
        refused(SafetensorsBuilder.bytes(header, 16), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[] | is not a JSON object",
                "{} x | header",
                "{\"a\":1} | has no object for a",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}} | has no dtype, shape and two data_offsets for a",
                "{\"a\":{\"dtype\":4}} | has no text as dtype of a",
                "{\"a\":{\"x\":4}} | unknown key x for a",
                "{\"__metadata__\":{\"a\":1}} | has no text for __metadata__ a",
                "{\"a\": | damaged safetensors header"
            })
    void headersOfAnotherShapeAreRefused(String header, String message) {
        refused(SafetensorsBuilder.bytes(header, 0), message);
    }

    @Test
    void aTensorThatStandsTwiceIsRefused() {
        refused(
                new SafetensorsBuilder()
                        .tensor("a", "F32", 1)
                        .tensor("a", "F32", 1)
                        .bytes(),
                "Duplicate field 'a'");
    }

    @Test
    void sharedBytesAreRefused() {
        refused(
                new SafetensorsBuilder()
                        .tensor("a", "F32", 4)
                        .entry("b", "F32", "2", 8, 16)
                        .bytes(),
                "lets tensor b begin at byte 8 of the data, expected 16, where what is before it ends");
    }

    /** "No holes in the byte buffer": what a header leaves out was for a tensor that it has lost or made smaller. */
    @Test
    void bytesOfNoTensorAreRefused() {
        String smaller = "{\"a\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}";
        refused(
                SafetensorsBuilder.bytes(smaller, 24),
                "lets tensor b begin at byte 16 of the data, expected 8, where what is before it ends");
        refused(
                SafetensorsBuilder.bytes(smaller.replace("[16,24]", "[8,16]"), 24),
                "has tensors for the first 16 bytes of the data, the file has 24");
        refused(
                SafetensorsBuilder.bytes(smaller.replace("[0,8]", "[8,16]"), 24),
                "lets tensor a begin at byte 8 of the data, expected 0");
    }
}
