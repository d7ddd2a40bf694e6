package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The scripts of {@code gpu-check}, with stand-ins for the engine and for mlx-lm: what is said of their rates, and of what cannot be had. */
final class GpuCheckTest {

    /** Two passes, of which the second counts: 4 rows in 40 ms are 100 a second, 2 tokens in 8 ms 250. */
    private static final String STEPS = """
            call 1: 2 rows, 900.000 ms
            call 2: 2 rows, 900.000 ms
            call 3: 1 rows, 900.000 ms
            call 4: 1 rows, 900.000 ms
            call 1: 2 rows, 30.000 ms
            call 2: 2 rows, 10.000 ms
            call 3: 1 rows, 6.000 ms
            call 4: 1 rows, 2.000 ms
            experts by a kernel
            bits of all answers 0
            """;

    @TempDir
    Path directory;

    private record Ended(int status, String said) {}

    private Ended run(String... command) throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            abort("there is no " + command[0] + ": " + e.getMessage());
            throw e;
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), said);
    }

    private void script(String name) throws IOException {
        Files.copy(Path.of("gpu-check", name), directory.resolve(name));
    }

    private Path write(String name, byte[] bytes) throws IOException {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.write(file, bytes);
    }

    private Path write(String name, String text) throws IOException {
        return write(name, text.getBytes(StandardCharsets.UTF_8));
    }

    /** It is to do the calls twice, in the engine's fast types, and to say how long each takes. */
    private void engine(String text, int status) throws IOException {
        Path engine = write("build/espalier-check-library", """
                #!/bin/sh
                case "$*" in
                  "--library "*"/mlx/lib/libespalier-mlx.so --precision fast --passes 2 --times "*" "*/bench/timed/*) ;;
                  *) echo "unexpected: $*"; exit 9 ;;
                esac
                cat <<'END'
                %sEND
                exit %d
                """.formatted(text, status));
        assertThat(engine.toFile().setExecutable(true)).isTrue();
    }

    /** A token reads 100 bytes, and 2 of 8 experts of 400: 200. */
    private void model(String shape) throws IOException {
        write("models/" + shape + "/config.json", """
                {"n_routed_experts": 8, "num_experts_per_tok": 2, "num_hidden_layers": 4}""");
        byte[] header = """
                {"lm_head.weight": {"data_offsets": [0, 100]}, "model.embed_tokens.weight": {"data_offsets": [100, 1000]},
                "model.layers.0.mlp.switch_mlp.up_proj.weight": {"data_offsets": [1000, 1400]}}""".getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(Long.BYTES + header.length).order(ByteOrder.LITTLE_ENDIAN);
        write(
                "models/" + shape + "/model.safetensors",
                file.putLong(header.length).put(header).array());
    }

    private Ended times(String mlxLm, String... shapes) throws IOException, InterruptedException {
        script("times.py");
        write("mlx_lm_times.py", mlxLm);
        for (String shape : shapes) {
            model(shape);
        }
        String[] command = {"python3", "times.py", "3", "10"};
        String[] whole = Arrays.copyOf(command, command.length + shapes.length);
        System.arraycopy(shapes, 0, whole, command.length, shapes.length);
        return run(whole);
    }

    /** Reads at 100 kB/s; of a prompt of 4 rows and 2 tokens it says these rates. */
    private static String mlxLm(int prefill, int decode) {
        return """
                import sys
                reads = sys.argv[1] == "--read"
                assert reads or sys.argv[2:] == ["4", "2"], sys.argv
                print('{"device": "D", "read": 100000}' if reads else '{"prefill": %d, "decode": %d}')
                """.formatted(prefill, decode);
    }

    @Test
    void withoutAGpuNothingIsRunAndThisIsSaid() throws IOException, InterruptedException {
        script("run.sh");
        Path empty = Files.createDirectory(directory.resolve("empty"));
        Ended ended = run("/usr/bin/env", "PATH=" + empty, "/bin/sh", "-c", "dirname() { echo .; }; . ./run.sh");
        assertThat(ended.said()).contains("no NVIDIA GPU (no nvidia-smi): NOTHING WAS RUN");
        assertThat(ended.status()).isEqualTo(3);
    }

    @Test
    void ratesAreThoseOfTheLastPassAndComparedWithMlxLm() throws IOException, InterruptedException {
        engine(STEPS, 0);
        Ended ended = times(mlxLm(50, 200), "v3");
        assertThat(ended.said())
                .contains("a prompt of 4 tokens, 2 after it; 3 runs in turn")
                .contains(
                        "decode   ours 250.0 (250.0 to 250.0) tokens/s, mlx-lm 200.0 (200.0 to 200.0): 1.25 (1.25 to 1.25)"
                                + " of mlx-lm's, wanted 1.3: NOT REACHED")
                .contains(
                        "prefill  ours 100.0 (100.0 to 100.0) tokens/s, mlx-lm 50.0 (50.0 to 50.0): 2.00 (2.00 to 2.00)"
                                + " of mlx-lm's, wanted 2.0: reached")
                .contains("ours 0.50 (0.50 to 0.50) of the bandwidth, mlx-lm 0.40 (0.40 to 0.40) of the bandwidth")
                .contains("experts by a kernel");
        assertThat(ended.status()).isZero();
    }

    @Test
    void ofSmallModelsTheTimeOfALayerIsSaid() throws IOException, InterruptedException {
        engine(STEPS, 0);
        Ended ended = times(mlxLm(50, 200), "v3-small");
        assertThat(ended.said())
                .contains(
                        "launches ours 1000.0 (1000.0 to 1000.0), mlx-lm 1250.0 (1250.0 to 1250.0) us a layer and token")
                .doesNotContain("wanted");
    }

    @Test
    void whatMlxLmSaysLastIsWhyThereAreNoRatios() throws IOException, InterruptedException {
        engine(STEPS, 0);
        Ended ended = times("import sys\nsys.exit('no such module')\n", "v3");
        assertThat(ended.said())
                .contains("decode   ours 250.0")
                .contains("exit code 1: no such module: NO RATIOS")
                .contains("exit code 1: no such module: NO SHARES");
        assertThat(ended.status()).isEqualTo(1);
    }

    @Test
    void anEngineThatFailsIsSaidAndTheNextShapeIsMeasured() throws IOException, InterruptedException {
        engine("the device is lost\n", 2);
        Ended ended = times(mlxLm(50, 200), "v3", "olmoe");
        assertThat(ended.said())
                .contains("== v3: the mlx engine could not be measured: exit code 2: the device is lost")
                .contains("== olmoe: the mlx engine could not be measured: exit code 2: the device is lost");
        assertThat(ended.status()).isEqualTo(1);
    }
}
