package org.espalier.engine.library;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.espalier.DaemonThreads;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Loading;
import org.espalier.engine.Precision;
import org.espalier.engine.RouterEdits;
import org.espalier.program.Program;

/**
 * Tries a library of an engine in a process of its own: whether a failure comes back as a sentence, and whether a quantized product and a gathered one
 * have the numbers that are stored here. Whoever starts it must expect that it hangs or is killed.
 */
public final class SelfTest {

    /** Begins the last line where the library did not; why follows. */
    public static final String FAILED = "espalier self-test failed: ";

    private static final long SESSION = 1;

    private SelfTest() {}

    /** @param arguments the file of the library */
    public static void main(String[] arguments) {
        new DaemonThreads("espalier-parent").newThread(SelfTest::endWithParent).start();
        System.setProperty("jna.platform.library.path", "");
        try {
            System.out.println(run(Path.of(arguments[0])).lines());
            System.out.flush();
            Runtime.getRuntime().halt(0); // a library that hangs as it is unloaded has passed
        } catch (Throwable e) { // whoever waits reads one line
            System.out.println(FAILED + (e instanceof EngineException ? e.getMessage() : e));
            System.out.flush();
            Runtime.getRuntime().halt(1);
        }
    }

    /** A parent that is gone has closed its end. */
    private static void endWithParent() {
        try {
            while (System.in.read() >= 0) {
                // it says nothing
            }
        } catch (IOException e) {
            // likewise
        }
        Runtime.getRuntime().halt(1);
    }

    /**
     * What the library runs on, and what it chose for the experts that were compared.
     *
     * @throws EngineException if it did not pass, saying in what
     */
    static SelfTestOutcome run(Path library) throws IOException {
        LibraryFile file = LibraryFile.open(EspalierLibrary::of, () -> library);
        Path folder = Files.createTempDirectory("espalier-self-test");
        Set<String> choices = new LinkedHashSet<>();
        try {
            SelfTestPrograms programs = new SelfTestPrograms(folder);
            failsWithASentence(file.library(), programs);
            List<float[]> stored = stored();
            for (Precision precision : Precision.values()) {
                compare(file.library(), programs.product(), precision, stored.subList(0, SelfTestPrograms.ROWS));
                choices.addAll(compare(
                        file.library(),
                        programs.gathered(),
                        precision,
                        stored.subList(SelfTestPrograms.ROWS, stored.size())));
            }
        } finally {
            SelfTestPrograms.delete(folder);
        }
        return new SelfTestOutcome(file.device(), List.copyOf(choices));
    }

    /** Exceptions of C++ end inside the library. */
    private static void failsWithASentence(EspalierLibrary library, SelfTestPrograms programs) {
        try {
            LibraryExecutor.load(library, programs.withoutItsFile(), EngineOptions.FLOAT32, Loading.quietly())
                    .close();
        } catch (EngineException e) {
            if (!e.getMessage().isBlank()) {
                return;
            }
        }
        throw new EngineException("a program whose file is missing was not refused with a sentence");
    }

    /** What the engine chose for the program. */
    private static List<String> compare(
            EspalierLibrary library, Program program, Precision precision, List<float[]> expected) {
        double bound = precision == Precision.FLOAT32 ? 1e-5 : 3e-2;
        double greatest = expected.stream()
                .mapToDouble(row -> greatest(row, new float[row.length]))
                .max()
                .orElseThrow();
        Outputs found = outputs(library, program, precision);
        for (int row = 0; row < expected.size(); row++) {
            double difference = greatest(expected.get(row), found.rows().get(row)) / greatest;
            if (!(difference <= bound)) {
                throw new EngineException(String.format(
                        Locale.ROOT,
                        "%s in %s: row %d is off by %.2g of the greatest value, expected at most %.0g",
                        program.name(),
                        precision.title(),
                        row,
                        difference,
                        bound));
            }
        }
        return found.choices();
    }

    /** NaN if there is one. */
    private static double greatest(float[] a, float[] b) {
        double greatest = 0;
        for (int i = 0; i < a.length; i++) {
            greatest = Math.max(greatest, Math.abs((double) a[i] - b[i]));
        }
        return greatest;
    }

    private record Outputs(List<float[]> rows, List<String> choices) {}

    private static Outputs outputs(EspalierLibrary library, Program program, Precision precision) {
        EngineOptions options = EngineOptions.FLOAT32.with(precision);
        LibraryExecutor executor = LibraryExecutor.load(library, program, options, Loading.quietly());
        try {
            executor.open(SESSION, SelfTestPrograms.ROWS, RouterEdits.NONE);
            List<float[]> rows = SelfTestPrograms.rows(executor, executor.activationBytes());
            List<String> experts = executor.choices().stream()
                    .filter(line -> !line.startsWith("memory: "))
                    .toList();
            return new Outputs(rows, experts);
        } finally {
            executor.close();
        }
    }

    /** Rows that the reference engine computed: of the product, then of the gathered one. */
    static List<float[]> stored() throws IOException {
        try (InputStream in = Objects.requireNonNull(SelfTest.class.getResourceAsStream("self-test.txt"));
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
            return lines.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> {
                        double[] row = Arrays.stream(line.split(" "))
                                .mapToDouble(Double::parseDouble)
                                .toArray();
                        float[] floats = new float[row.length];
                        for (int i = 0; i < row.length; i++) {
                            floats[i] = (float) row[i];
                        }
                        return floats;
                    })
                    .toList();
        }
    }
}
