package org.espalier.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.EspalierException;
import org.espalier.RegularFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NotebookTest {

    /** As where a cell is interrupted while a model's files are read. */
    @Test
    void anInterruptedReadIsAnInterruptAndNoErrorOfTheFile(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("config.json"), "{}");
        Thread.currentThread().interrupt();
        Throwable failed = catchThrowable(() -> RegularFile.read(file, 10));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(Notebook.isInterrupt(new EspalierException("cannot read " + file, failed)))
                .isTrue();

        Files.delete(file);
        failed = catchThrowable(() -> RegularFile.read(file, 10));
        assertThat(Notebook.isInterrupt(new EspalierException("cannot read " + file, failed)))
                .isFalse();
    }
}
