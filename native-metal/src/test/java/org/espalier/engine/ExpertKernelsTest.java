package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The kernels of experts for Metal and CUDA: the same text, compiled as C++ over emulated simdgroups ({@code src/test/cpp/experts}), against
 * arithmetic in double.
 */
final class ExpertKernelsTest {

    private static final Path TESTS = Path.of("src/test/cpp").toAbsolutePath();
    private static final Path TEXT = Path.of("src/main/cpp/experts").toAbsolutePath();
    private static final Path OUT = Path.of("target/cpp-test").toAbsolutePath();
    private static final Path MLX = Path.of("target/mlx").toAbsolutePath();
    private static final boolean HAS_MLX = Files.exists(MLX.resolve("mlx/include/mlx/fast.h"));
    private static final String COMPILER =
            Optional.ofNullable(System.getenv("CXX")).orElse("c++");

    @TempDir
    static Path directory;

    /** Most of the time goes into compiling, so that all of it is begun at once. */
    private static ExecutorService workers;

    private static final Map<String, Future<Ended>> ENDED = new HashMap<>();

    private record Ended(int status, String output) {}

    /** Of a child process that gets ten minutes: machines may be busy. */
    private static Ended run(Path log, List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = process.waitFor(10, TimeUnit.MINUTES);
        process.destroyForcibly().waitFor();
        String output = Files.readString(log);
        assertThat(ended).as("%s has not ended: %s", command, output).isTrue();
        return new Ended(process.exitValue(), output);
    }

    private static boolean starts(String program) throws InterruptedException {
        try {
            return new ProcessBuilder(program, "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @BeforeAll
    static void begin() throws IOException, InterruptedException {
        assumeTrue(starts(COMPILER), "there is no C++ compiler");
        assumeTrue(starts("make"), "there is no make");
        workers = Executors.newFixedThreadPool(4);
        List<String> programs = HAS_MLX
                ? List.of("decode_test", "kernels_test", "choice_test")
                : List.of("kernels_test", "choice_test");
        for (String program : programs) {
            ENDED.put(program, workers.submit(() -> made(TEXT, OUT.resolve(program), program)));
        }
        for (String what : SPOILED.keySet()) {
            Path text = spoiled(what);
            ENDED.put(what, workers.submit(() -> made(text, text.resolve("out"), "few_test")));
        }
    }

    @AfterAll
    static void end() {
        if (workers != null) {
            workers.shutdownNow();
        }
    }

    /** What the compiler says, or, if it succeeds, the program. */
    private static Ended made(Path text, Path out, String program) throws IOException, InterruptedException {
        Files.createDirectories(out);
        Path log = out.resolve("log");
        Ended compiled = run(
                log,
                List.of(
                        "make",
                        "-s",
                        "-C",
                        TESTS.toString(),
                        "CXX=" + COMPILER,
                        "TEXT=" + text,
                        "OUT=" + out,
                        "MLX=" + MLX,
                        out.resolve(program).toString()));
        return compiled.status() == 0 ? run(log, List.of(out.resolve(program).toString())) : compiled;
    }

    /** Its lines. */
    private static Stream<String> passed(String program) throws ExecutionException, InterruptedException {
        Ended ended = ENDED.get(program).get();
        assertThat(ended.status()).as(ended.output()).isZero();
        return ended.output().lines();
    }

    /** Formats, groups, one to four rows, ragged widths, missing and repeated experts, indices beyond 32 bits. */
    @Test
    void kernelsAreArithmetic() throws ExecutionException, InterruptedException {
        assertThat(passed("kernels_test"))
                .hasSize(15)
                .allMatch(line -> line.matches(".*: [1-9]\\d* cases, at most [01]\\.\\d\\d of what rounding allows"));
    }

    /** Kernels, and MLX's own op, that are wrong, slow, or throw. */
    @Test
    void theFastestOfThoseThatAreRightIsTaken() throws ExecutionException, InterruptedException {
        assertThat(passed("choice_test")).hasSize(20).allMatch(line -> line.endsWith(": as expected"));
    }

    /** The engine's side, with emulated kernels, against {@code gather_qmm} on the processor; and that a processor says that it has none. */
    @Test
    void whatTheEngineCallsIsWhatMlxComputes() throws ExecutionException, InterruptedException {
        assumeTrue(HAS_MLX, "there is no MLX in " + MLX);
        assertThat(passed("decode_test")).hasSize(19).allMatch(line -> line.endsWith(": as expected"));
    }

    /** What is put in place of the kernels' own words, and what is said to it. */
    private record Spoiled(String from, String to, String says) {}

    private static final Map<String, List<Spoiled>> SPOILED = Map.of(
            "indices of 32 bits",
            List.of(new Spoiled("int64_t", "int", "(?s).*gate\\[-\\d+], which has \\d+ values.*")),
            "rows behind the last",
            List.of(new Spoiled("first >= F ||", "", "(?s).*up\\[\\d+], which has \\d+ values.*")),
            "half of the lanes in a sum",
            List.of(new Spoiled(
                    "float g = simd_sum(gates.of[t][r]);",
                    "float g = lane < 16 ? simd_sum(gates.of[t][r]) : 0.0f;",
                    "(?s).*lanes diverge: lane 0 waits for a sum in line \\d+, lane 16 waits .*")),
            "bfloat16 that becomes a float unasked, and a double",
            List.of(
                    new Spoiled(
                            "= float(xs[at + i])", "= xs[at + i]", "(?s).*kernels.text.h:\\d+:\\d+: error: .*BFloat.*"),
                    new Spoiled(
                            "0.044715f",
                            "0.044715",
                            "(?s).*kernels.text.h:\\d+:\\d+: error: .*float.* to .*double.*")));

    /** The kernels' text in a folder of its own. */
    private static Path spoiled(String what) throws IOException {
        Path text = Files.createDirectories(directory.resolve(what.replace(' ', '-')));
        for (Path file : texts()) {
            Files.copy(file, text.resolve(file.getFileName()));
        }
        String kernels = Files.readString(TEXT.resolve("kernels.text.h"));
        for (Spoiled word : SPOILED.get(what)) {
            assertThat(kernels).contains(word.from());
            kernels = kernels.replace(word.from(), word.to());
        }
        Files.writeString(text.resolve("kernels.text.h"), kernels);
        return text;
    }

    /** A test that nothing can fail proves nothing. */
    @Test
    void theEmulationNoticesWhatAGpuWouldNot() throws ExecutionException, InterruptedException {
        for (String what : SPOILED.keySet()) {
            Ended ended = ENDED.get(what).get();
            assertThat(ended.status()).as("%s: %s", what, ended.output()).isNotZero();
            for (Spoiled spoiled : SPOILED.get(what)) {
                assertThat(ended.output()).as(what).matches(spoiled.says());
            }
        }
    }

    private static List<Path> texts() throws IOException {
        try (Stream<Path> files = Files.list(TEXT)) {
            return files.filter(file -> file.toString().endsWith(".text.h")).toList();
        }
    }
}
