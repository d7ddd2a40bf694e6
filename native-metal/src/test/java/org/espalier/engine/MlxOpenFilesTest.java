package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.espalier.program.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Files of weights are closed once they are read: a model may have hundreds, and a process may open few. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "only Linux lists what a process has open as files")
final class MlxOpenFilesTest {

    @TempDir
    Path directory;

    private static int timesOpen(Path file) throws IOException {
        int times = 0;
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors) {
                try {
                    times += Files.readSymbolicLink(descriptor).equals(file) ? 1 : 0;
                } catch (NoSuchFileException e) {
                    // another thread has closed it meanwhile
                }
            }
        }
        return times;
    }

    @Test
    void noneIsOpenOnceTheProgramIsLoaded() throws IOException {
        WeightFile file = new WeightFile(directory);
        Program tiny = TinyProgram.tokens(file);
        Path weights = file.path().toRealPath();
        try (InputStream counted = Files.newInputStream(weights)) {
            assertThat(timesOpen(weights)).as("what is open is counted").isEqualTo(1);
            assertThat(counted.read()).isNotNegative();
        }
        try (EngineUnderTest mlx = new EngineUnderTest(MlxSuite.requireMlx(), Precision.FLOAT32);
                LoadedProgram program = mlx.load(tiny)) {
            assertThat(program.residentBytes()).isPositive();
            assertThat(timesOpen(weights)).isZero();
        }
    }
}
