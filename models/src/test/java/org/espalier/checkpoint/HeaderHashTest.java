package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeaderHashTest {

    private static final Path LLAMA = Golden.tiny("llama-tiny/hf/model.safetensors");
    private static final Path GGUF = Golden.tiny("llama_gguf-tiny/gguf/model.gguf");

    @TempDir
    Path folder;

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private void changeByte(Path file, long offset) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(offset);
            int before = bytes.read();
            bytes.seek(offset);
            bytes.write(before ^ 1);
        }
    }

    private void writeConfig(String json) throws IOException {
        Files.writeString(folder.resolve("config.json"), json);
    }

    @Test
    void isOfTheHeaderOfTheOneSafetensorsFileAndTheConfig() throws Exception {
        byte[] bytes = Files.readAllBytes(LLAMA);
        long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        Files.copy(LLAMA, folder.resolve("model.safetensors"));
        writeConfig("{}");
        byte[] hashed = Arrays.copyOf(bytes, (int) (8 + header) + 2);
        hashed[hashed.length - 2] = '{';
        hashed[hashed.length - 1] = '}';
        assertThat(HeaderHash.of(folder)).isEqualTo(sha256(hashed));
    }

    @Test
    void countsWhatTheConfigSaysAndNotHowItIsFormatted() throws Exception {
        Files.copy(LLAMA, folder.resolve("model.safetensors"));
        writeConfig("{\"rope_theta\": 10000.0, \"rope\": {\"a\": [1, 2], \"b\": null}}");
        String hash = HeaderHash.of(folder);
        writeConfig("{\n  \"rope\": {\"b\":null, \"a\":[1,2]},\n  \"rope_theta\": 1e4\n}\n");
        assertThat(HeaderHash.of(folder)).isEqualTo(hash);
        for (String other : List.of(
                "{\"rope_theta\": 500000.0, \"rope\": {\"a\": [1, 2], \"b\": null}}",
                "{\"rope_theta\": 10000.0, \"rope\": {\"a\": [2, 1], \"b\": null}}",
                "{\"rope_theta\": 10000.0, \"rope\": {\"a\": [1, 2]}}")) {
            writeConfig(other);
            assertThat(HeaderHash.of(folder)).as(other).isNotEqualTo(hash);
        }
    }

    @Test
    void readsNoWeights() throws Exception {
        Files.copy(LLAMA.resolveSibling("config.json"), folder.resolve("config.json"));
        Path copy = folder.resolve("model.safetensors");
        Files.copy(LLAMA, copy);
        changeByte(copy, Files.size(copy) - 1);
        assertThat(HeaderHash.of(folder)).isEqualTo(HeaderHash.of(LLAMA.getParent()));
        changeByte(copy, 50); // in the header: a letter of a tensor's name
        assertThat(HeaderHash.of(folder)).isNotEqualTo(HeaderHash.of(LLAMA.getParent()));
    }

    @Test
    void isOfTheIndexWhereThereAreSeveralFiles() throws Exception {
        byte[] index = "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\"}}".getBytes();
        Files.write(folder.resolve("model.safetensors.index.json"), index);
        writeConfig("{}");
        assertThat(HeaderHash.of(folder)) // the shards need not even be here
                .isEqualTo(sha256((new String(index) + "{}").getBytes()));
    }

    @Test
    void isOfEverythingBeforeTheDataOfAGgufFile() throws Exception {
        GgufFile file = GgufFile.read(GGUF);
        long data = file.tensors().values().stream()
                .mapToLong(GgufFile.Tensor::offset)
                .min()
                .orElseThrow();
        Path copy = folder.resolve("model.gguf");
        Files.copy(GGUF, copy);
        changeByte(copy, data);
        assertThat(HeaderHash.of(copy)).isEqualTo(HeaderHash.of(GGUF)).hasSize(64);
        assertThat(HeaderHash.of(folder)).isEqualTo(HeaderHash.of(GGUF));
        changeByte(copy, data);
        String header = new String(Files.readAllBytes(copy), java.nio.charset.StandardCharsets.ISO_8859_1);
        changeByte(copy, header.indexOf("llama_gguf-tiny")); // in the metadata
        assertThat(HeaderHash.of(copy)).isNotEqualTo(HeaderHash.of(GGUF));
    }

    @Test
    void saysWhenThereIsNoCheckpoint() throws Exception {
        assertThatThrownBy(() -> HeaderHash.of(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("has no config.json and no .gguf file");
        Files.copy(LLAMA, folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> HeaderHash.of(folder)).isInstanceOf(CheckpointException.class);
        Files.delete(folder.resolve("model.safetensors"));
        Files.write(folder.resolve("cut.gguf"), new byte[] {'G', 'G', 'U', 'F', 3});
        assertThatThrownBy(() -> HeaderHash.of(folder)).isInstanceOf(CheckpointException.class);
        assertThatThrownBy(() -> HeaderHash.of(folder.resolve("none")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("does not exist");
    }
}
