package org.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.espalier.EspalierException;
import org.espalier.checkpoint.Golden;
import org.espalier.tokenizer.TokenizerException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of a model that are no files, or that would fill the memory. */
class ModelFilesTest {

    @TempDir
    Path model;

    @BeforeEach
    void copy() throws IOException {
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(Golden.tiny("llama-tiny").resolve("hf"))) {
            for (Path file : files) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
    }

    private static Throwable failure(Path path) {
        return assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> catchThrowable(() -> {
                    try (Model opened = Model.open(path)) {
                        opened.identity();
                        opened.chatTemplate();
                    }
                }),
                "it waits for the file");
    }

    private Path pipe(String name) throws Exception {
        Path pipe = model.resolve(name);
        Files.deleteIfExists(pipe);
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        return pipe;
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "model.safetensors", "generation_config.json"})
    @DisabledOnOs(OS.WINDOWS)
    void aPipeIsRefused(String name) throws Exception {
        Path pipe = pipe(name);
        assertThat(failure(model))
                .isInstanceOf(EspalierException.class)
                .hasMessage("cannot read " + pipe + ": it is a pipe, a device or a socket, expected a regular file");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"})
    @DisabledOnOs(OS.WINDOWS)
    void aPipeIsNoTokenizer(String name) throws Exception {
        Path pipe = pipe(name);
        assertThat(failure(model))
                .isInstanceOf(TokenizerException.class)
                .hasMessage("cannot read the tokenizer of " + model
                        + ": it is a pipe, a device or a socket, expected a regular file (" + pipe + ")");
    }

    /** As the hub's cache has it after its blobs were cleaned up. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aLinkToNothingIsNoTokenizerUntilThereIsSomething() throws IOException {
        Path file = model.resolve("tokenizer.json");
        Path blob = model.resolve("blob");
        Files.move(file, model.resolve("kept"));
        try (Model opened = Model.open(model)) {
            assertThat(opened.tokenizer()).isEmpty();
            Files.createSymbolicLink(file, blob);
            assertThatThrownBy(opened::tokenizer)
                    .hasMessage("cannot read the tokenizer of " + model + ": no such file or folder (" + file + ")");
            Files.move(model.resolve("kept"), blob);
            assertThat(opened.tokenizer().orElseThrow().encode("the")).containsExactly(257);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"m.gguf", "m"})
    @DisabledOnOs(OS.WINDOWS)
    void aPipeIsNoGgufFile(String name) throws Exception {
        Path pipe = pipe(name);
        assertThat(failure(pipe))
                .isInstanceOf(EspalierException.class)
                .hasMessage("cannot read " + pipe + ": it is a pipe, a device or a socket, expected a regular file");
    }

    @ParameterizedTest
    @CsvSource({
        "tokenizer.json, 275000000, 67108864",
        "tokenizer_config.json, 275000000, 67108864",
        "special_tokens_map.json, 275000000, 67108864",
        "chat_template.jinja, 5000000, 4194304",
        "chat_template.json, 275000000, 67108864",
        "config.json, 275000000, 67108864",
        "generation_config.json, 275000000, 67108864"
    })
    void aFileThatWouldFillTheMemoryIsRefused(String name, long bytes, long most) throws IOException {
        try (RandomAccessFile sparse = new RandomAccessFile(model.resolve(name).toFile(), "rw")) {
            sparse.setLength(bytes);
        }
        assertThat(failure(model))
                .isInstanceOf(EspalierException.class)
                .hasMessageStartingWith("cannot read ")
                .hasMessageContaining(name)
                .hasMessageContaining(": it has " + bytes + " bytes, expected at most " + most);
    }
}
