package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Executor;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.program.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SelfTestTest {

    @TempDir
    Path folder;

    private List<float[]> reference() throws IOException {
        SelfTestPrograms programs = new SelfTestPrograms(folder);
        List<float[]> rows = new ArrayList<>();
        try (Engine engine = new ReferenceProvider().start()) {
            for (Program program : List.of(programs.product(), programs.gathered())) {
                program.check(0, 1);
                rows.addAll(engine.thread().call(() -> {
                    Executor executor = engine.load(program, EngineOptions.FLOAT32, Loading.quietly());
                    executor.open(1, SelfTestPrograms.ROWS, RouterEdits.NONE);
                    return SelfTestPrograms.rows(executor, Float.BYTES);
                }));
            }
        }
        return rows;
    }

    /** With {@code -Dself-test.write=FILE} it writes them. */
    @Test
    void theStoredNumbersAreTheReferenceEngines() throws IOException {
        List<float[]> rows = reference();
        String file = System.getProperty("self-test.write");
        if (file != null) {
            Files.writeString(
                    Path.of(file),
                    rows.stream()
                            .map(row -> IntStream.range(0, row.length)
                                    .mapToObj(i -> String.format(Locale.ROOT, "%.7g", row[i]))
                                    .collect(Collectors.joining(" ")))
                            .collect(Collectors.joining(
                                    "\n",
                                    "# Rows of the two programs of SelfTest, as the reference engine computes them; written by SelfTestTest.\n",
                                    "\n")));
        }
        List<float[]> stored = SelfTest.stored();
        assertThat(stored).hasSameSizeAs(rows);
        for (int row = 0; row < rows.size(); row++) {
            assertThat(rows.get(row)).as("row %d", row).containsExactly(stored.get(row), within(2e-5f));
        }
    }

    @Test
    void theCpuEnginePasses() throws IOException {
        Path library =
                Path.of("target/c", System.mapLibraryName("espalier-cpu")).toAbsolutePath();
        assumeTrue(Files.exists(library), "there is no cpu engine");
        assertThat(SelfTest.run(library)).isNotBlank();
    }

    @Test
    void whatIsNoEngineFails() throws IOException {
        Path library = Files.writeString(folder.resolve("no.so"), "not a library");
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> SelfTest.run(library))
                .withMessageStartingWith("its library cannot be loaded: ");
    }
}
