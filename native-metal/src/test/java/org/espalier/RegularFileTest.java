package org.espalier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegularFileTest {

    private static final Duration SOON = Duration.ofSeconds(10);

    @TempDir
    Path folder;

    private static String reason(Path file, org.junit.jupiter.api.function.Executable opening) {
        IOException failure = assertTimeoutPreemptively(
                SOON, () -> catchThrowableOfType(IOException.class, opening::execute), "it waits for the file");
        return EspalierException.reason(failure, file);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aPipeIsNotWaitedFor() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        String expected = "it is a pipe, a device or a socket, expected a regular file";
        assertThat(reason(pipe, () -> RegularFile.open(pipe))).isEqualTo(expected);
        assertThat(reason(pipe, () -> RegularFile.read(pipe, 10))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/dev/zero", "/dev/null", "/dev/tty"})
    @DisabledOnOs(OS.WINDOWS)
    void aDeviceIsRefused(Path device) {
        assertThat(reason(device, () -> RegularFile.open(device)))
                .isEqualTo("it is a pipe, a device or a socket, expected a regular file");
    }

    @Test
    void aFolderIsRefused() {
        assertThat(reason(folder, () -> RegularFile.open(folder))).isEqualTo("it is a folder, expected a regular file");
    }

    @Test
    void whatIsMissingIsSaid() {
        Path missing = folder.resolve("x");
        assertThat(reason(missing, () -> RegularFile.open(missing))).isEqualTo("no such file or folder");
    }

    @Test
    void aFileIsReadWholeUpToItsLimit() throws IOException {
        Path file = Files.writeString(folder.resolve("f"), "0123456789");
        assertThat(RegularFile.read(file, 10)).asString().isEqualTo("0123456789");
        assertThat(reason(file, () -> RegularFile.read(file, 9))).isEqualTo("it has 10 bytes, expected at most 9");
        try (FileChannel channel = RegularFile.open(file)) {
            assertThat(channel.size()).isEqualTo(10);
        }
    }

    @Test
    void aHugeFileIsRefusedUnread() throws IOException {
        Path file = folder.resolve("f");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1L << 40);
        }
        assertThat(reason(file, () -> RegularFile.read(file, RegularFile.MOST_BYTES)))
                .isEqualTo("it has 1099511627776 bytes, expected at most 67108864");
    }
}
