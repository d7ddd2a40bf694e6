package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
        assertThat(SelfTest.run(library).device()).isNotBlank();
    }

    /** In a process of its own, as on a user's machine: one may have loaded MLX already. On a processor there is nothing to choose from. */
    @Test
    void theMlxEnginePasses() throws IOException, InterruptedException {
        Path mlx = Path.of("target/mlx/mlx/lib").toAbsolutePath();
        assumeTrue(Files.exists(mlx.resolve("libmlx.so")), "there is no MLX for Linux in " + mlx);
        Path library = Path.of("target/cpp/libespalier-mlx.so").toAbsolutePath();
        assumeTrue(Files.exists(library), "the mlx engine was not built");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        SelfTest.class.getName(),
                        library.toString())
                .redirectErrorStream(true);
        builder.environment().put("LD_LIBRARY_PATH", mlx.toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(SelfTestOutcome.in(output))
                .contains(new SelfTestOutcome(
                        "MLX 0.32.4 on the processor",
                        List.of("experts by gather_qmm: kernels of our own are for Metal and CUDA, and this device is"
                                + " neither")));
    }

    @Test
    void anOutcomeIsReadFromTheLinesThatAreWritten() {
        SelfTestOutcome outcome =
                new SelfTestOutcome("a GPU", List.of("3 rows: kernels taken", "1 row: gather_qmm taken"));
        assertThat(SelfTestOutcome.in("a warning\n" + outcome.lines() + "\n")).contains(outcome);
        assertThat(SelfTestOutcome.in("a warning\n")).isEmpty();
    }

    @Test
    void whatIsNoEngineFails() throws IOException {
        Path library = Files.writeString(folder.resolve("no.so"), "not a library");
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> SelfTest.run(library))
                .withMessageStartingWith("its library cannot be loaded: ");
    }
}
