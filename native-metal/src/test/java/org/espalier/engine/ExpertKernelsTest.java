package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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
    Path directory;

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

    /** All at once, and two at a time: most of the test's time is the compiler's. */
    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        assumeTrue(starts(COMPILER), "there is no C++ compiler");
        assumeTrue(starts("make"), "there is no make");
        Ended made = HAS_MLX
                ? make(TEXT, OUT, "decode_test", "kernels_test", "choice_test")
                : make(TEXT, OUT, "kernels_test", "choice_test");
        assertThat(made.status()).as(made.output()).isZero();
    }

    private static Ended make(Path text, Path out, String... programs) throws IOException, InterruptedException {
        Files.createDirectories(out);
        List<String> command = new ArrayList<>(
                List.of("make", "-s", "-j2", "-C", TESTS.toString(), "CXX=" + COMPILER, "TEXT=" + text, "OUT=" + out));
        command.add("MLX=" + MLX);
        for (String program : programs) {
            command.add(out.resolve(program).toString());
        }
        return run(out.resolve("make.log"), command);
    }

    private static Ended passes(String program) throws IOException, InterruptedException {
        Path log = OUT.resolve(program + ".log");
        Ended ended = run(log, List.of(OUT.resolve(program).toString()));
        assertThat(ended.status()).as(ended.output()).isZero();
        return ended;
    }

    /** Formats, groups, one to four rows, ragged widths, missing and repeated experts, indices beyond 32 bits. */
    @Test
    void kernelsAreArithmetic() throws IOException, InterruptedException {
        assertThat(passes("kernels_test").output().lines())
                .hasSize(15)
                .allMatch(line -> line.matches(".*: [1-9]\\d* cases, at most [01]\\.\\d\\d of what rounding allows"));
    }

    /** Kernels, and MLX's own op, that are wrong, slow, or throw. */
    @Test
    void theFastestOfThoseThatAreRightIsTaken() throws IOException, InterruptedException {
        assertThat(passes("choice_test").output().lines()).hasSize(20).allMatch(line -> line.endsWith(": as expected"));
    }

    /** The engine's side, with emulated kernels, against {@code gather_qmm} on the processor; and that a processor says that it has none. */
    @Test
    void whatTheEngineCallsIsWhatMlxComputes() throws IOException, InterruptedException {
        assumeTrue(HAS_MLX, "there is no MLX in " + MLX);
        assertThat(passes("decode_test").output().lines()).hasSize(19).allMatch(line -> line.endsWith(": as expected"));
    }

    /** What is put in place of the kernels' own words, and what is said to it. */
    private record Spoiled(String from, String to, String says) {}

    /** A test that nothing can fail proves nothing. */
    @Test
    void theEmulationNoticesWhatAGpuWouldNot() throws ExecutionException, InterruptedException {
        Map<String, List<Spoiled>> all = Map.of(
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
                                "= float(xs[at + i])",
                                "= xs[at + i]",
                                "(?s).*kernels.text.h:\\d+:\\d+: error: .*BFloat.*"),
                        new Spoiled(
                                "0.044715f",
                                "0.044715",
                                "(?s).*kernels.text.h:\\d+:\\d+: error: .*float.* to .*double.*")));
        ExecutorService two = Executors.newFixedThreadPool(2);
        try {
            List<Callable<Void>> each = new ArrayList<>();
            all.forEach((what, spoiled) -> each.add(() -> {
                isNoticed(what, spoiled);
                return null;
            }));
            for (Future<Void> one : two.invokeAll(each)) {
                one.get();
            }
        } finally {
            two.shutdownNow();
        }
    }

    private void isNoticed(String what, List<Spoiled> words) throws IOException, InterruptedException {
        Path text = Files.createDirectories(directory.resolve(what.replace(' ', '-')));
        for (Path file : texts()) {
            Files.copy(file, text.resolve(file.getFileName()));
        }
        String kernels = Files.readString(TEXT.resolve("kernels.text.h"));
        for (Spoiled spoiled : words) {
            assertThat(kernels).contains(spoiled.from());
            kernels = kernels.replace(spoiled.from(), spoiled.to());
        }
        Files.writeString(text.resolve("kernels.text.h"), kernels);
        Path out = text.resolve("out");
        Ended ended = make(text, out, "few_test");
        if (ended.status() == 0) {
            ended = run(out.resolve("log"), List.of(out.resolve("few_test").toString()));
        }
        assertThat(ended.status()).as("%s: %s", what, ended.output()).isNotZero();
        for (Spoiled spoiled : words) {
            assertThat(ended.output()).as(what).matches(spoiled.says());
        }
    }

    private static List<Path> texts() throws IOException {
        try (Stream<Path> files = Files.list(TEXT)) {
            return files.filter(file -> file.toString().endsWith(".text.h")).toList();
        }
    }
}
