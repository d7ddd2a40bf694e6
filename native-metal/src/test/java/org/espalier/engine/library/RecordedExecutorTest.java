package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Path;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.program.Add;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RecordedExecutorTest {

    @TempDir
    Path directory;

    /** As on a disk that is full: what could not be written down is said once, and whoever hears of it frees the session. */
    @Test
    void aSessionOfABrokenRecordingIsFreed() throws IOException {
        ProgramBuilder builder = new ProgramBuilder("main", 2);
        View x = builder.slot(2);
        Program program = builder.op(new Add(x, x, x)).build(x, x);
        ScriptedLibrary library = new ScriptedLibrary();
        RecordedCalls calls = RecordedCalls.create(directory.resolve("calls"));
        try (RecordedExecutor recorded = new RecordedExecutor(
                LibraryExecutor.load(library, program, EngineOptions.FLOAT32, Loading.quietly()), program, calls)) {
            recorded.open(8, 3, RouterEdits.NONE);
            calls.close();
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> recorded.dropRows(8, 0))
                    .withMessageStartingWith("cannot record to " + directory.resolve("calls"));
            recorded.close(8);
            assertThat(library.calls).endsWith("close 8");
        }
    }
}
