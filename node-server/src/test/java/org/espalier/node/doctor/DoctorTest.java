package org.espalier.node.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.espalier.EspalierException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where there is no MLX: what was not run says so, and the probes measure another engine. */
@Timeout(120)
class DoctorTest {

    private final Map<String, String> lines = new LinkedHashMap<>();

    @Test
    void withoutMlxEachLineSaysWhatWasNotRun() throws InterruptedException {
        new Doctor(Optional.empty(), "", 1, lines::put).report("espalier-node 1");
        assertThat(lines.keySet())
                .containsExactly(
                        "espalier",
                        "hardware",
                        "system",
                        "chip",
                        "memory",
                        "wired limit",
                        "MLX",
                        "self-test",
                        "read bandwidth",
                        "crossing",
                        "memory limits",
                        "buffer limits",
                        "expert kernels",
                        "1 to 64 rows",
                        "mixture");
        assertThat(lines.get("self-test")).isEqualTo("not run: there is no MLX");
        assertThat(lines.get("read bandwidth")).isEqualTo("not run: MLX does not run here");
        assertThat(lines.get("mixture")).isEqualTo("not run: MLX does not run here");
        assertThat(lines.get("system")).contains(System.getProperty("os.name"));
        assertThat(lines.get("memory")).matches("[0-9.]+ GB, [0-9.]+ GB free");
    }

    @Test
    void anotherEngineIsMeasured() throws InterruptedException {
        assumeTrue(
                Files.exists(Path.of("../native-metal/target/c", System.mapLibraryName("espalier-cpu"))),
                "there is no cpu engine");
        new Doctor(Optional.empty(), "cpu", 1, lines::put).report("espalier-node 1");
        assertThat(lines.get("read bandwidth")).matches("[0-9.]+ GB/s");
        assertThat(lines.get("crossing"))
                .matches("[0-9.]+ us an exchange with the processor|too little to be told from the products beside it");
        assertThat(lines.get("1 to 64 rows")).matches("GB/s of weights: 1 [0-9.]+ 2 [0-9.]+ 4 [0-9.]+ .* 64 [0-9.]+");
        assertThat(lines.get("mixture"))
                .matches("1 layers of 64 experts, 4 bit: one row [0-9.]+ ms \\([0-9.]+ GB/s of weights\\), 256 rows"
                        + " [0-9.]+ ms");
        assertThat(lines.get("buffer limits")).isEqualTo("not run: they are Metal's, and this is the engine cpu");
        assertThat(lines.get("memory limits")).isEqualTo("not run: they are the mlx engine's");
    }

    /** On a processor: nothing was compared, and it says so. */
    @Test
    void whatTheEngineChoseForExpertsIsSaid() throws InterruptedException {
        Path mlx = Path.of("../native-metal/target/mlx").toAbsolutePath();
        assumeTrue(Files.exists(mlx.resolve("mlx/lib/libmlx.so")), "there is no MLX in " + mlx);
        ProbeProcess.Measured measured =
                new ProbeProcess("mlx", mlx, Duration.ofSeconds(100)).measure(Probe.Kind.EXPERTS, 1, Map.of());
        assertThat(measured.choices())
                .containsExactly(
                        "memory: MLX's own limits, for the device recommends none",
                        "experts by gather_qmm: kernels of our own are for Metal and CUDA, and this device is"
                                + " neither");
        assertThat(measured.numbers()).isEmpty();
    }

    @Test
    void aProbeThatFailsSaysWhy() {
        assertThatExceptionOfType(EspalierException.class)
                .isThrownBy(() ->
                        new ProbeProcess("warp", null, Duration.ofSeconds(60)).measure(Probe.Kind.ROWS, 1, Map.of()))
                .withMessageContaining("its process ended with 1: ")
                .withMessageContaining("there is no engine 'warp' here");
    }

    @Test
    void aProbeThatTakesTooLongIsKilled() {
        assertThatExceptionOfType(EspalierException.class)
                .isThrownBy(
                        () -> new ProbeProcess("cpu", null, Duration.ofMillis(1)).measure(Probe.Kind.ROWS, 1, Map.of()))
                .withMessage("it did not end within 0 s and was killed");
    }
}
