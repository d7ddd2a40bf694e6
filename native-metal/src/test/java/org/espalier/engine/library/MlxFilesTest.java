package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.engine.EngineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where MLX is looked for, and what is said where it is not there. */
final class MlxFilesTest {

    @TempDir
    Path directory;

    @Test
    void theVersionIsTheOneThatTheBuildFetches() throws IOException {
        assertThat(Files.readString(Path.of("..", "pom.xml")))
                .contains("<mlx.version>" + MlxFiles.VERSION + "</mlx.version>");
    }

    @Test
    void aFolderWithoutMlxIsNamed() {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> MlxFiles.open(directory))
                .withMessage(
                        "there is no " + directory.resolve("mlx").resolve("lib").resolve(System.mapLibraryName("mlx")));
    }

    @Test
    void whatIsNoLibraryIsSaidToBeNone() throws IOException {
        Path libraries = Files.createDirectories(directory.resolve("mlx").resolve("lib"));
        Files.writeString(libraries.resolve(System.mapLibraryName("mlx")), "not a library");
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> MlxFiles.open(directory))
                .withMessageStartingWith("MLX cannot be loaded: ");
    }
}
