package org.espalier.node.delivery;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.Properties;
import org.espalier.engine.Crossing;

/**
 * What {@code espalier-node doctor} measured a crossing to cost, kept beside MLX as {@link BufferLimits} are.
 *
 * @param nanos of one exchange
 * @param device that it was measured on, with MLX's version
 */
public record MeasuredCrossing(long nanos, String device) {

    /**
     * With MLX's default fence, which its shared event makes: 150 to 200 us from the GPU to the processor's stream, as others measured it on Macs
     * (<a href="https://github.com/ml-explore/mlx/issues/4438">ml-explore/mlx#4438</a>, and pull request 1773 there). We had no Mac.
     */
    private static final long METAL_NANOS = 180_000;

    public MeasuredCrossing {
        if (nanos < 0) {
            throw new IllegalArgumentException("a crossing of " + nanos + " ns: expected 0 or more");
        }
    }

    private static Path file(MlxHome home) {
        return home.folder().resolve("crossing");
    }

    /** Empty where nothing was measured, or on another device than the one that passed the self-test. */
    public static Optional<MeasuredCrossing> read(MlxHome home) {
        Properties kept = new Properties();
        try (InputStream in = Files.newInputStream(file(home))) {
            kept.load(in);
            MeasuredCrossing crossing =
                    new MeasuredCrossing(Long.parseLong(kept.getProperty("nanos", "")), kept.getProperty("device", ""));
            return Passed.read(home)
                    .filter(passed -> passed.device().equals(crossing.device))
                    .map(passed -> crossing);
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty(); // as if it were not measured
        }
    }

    public void write(MlxHome home) throws IOException {
        Properties kept = new Properties();
        kept.setProperty("nanos", Long.toString(nanos));
        kept.setProperty("device", device);
        Path fresh = Files.createTempFile(home.folder(), "crossing", ".new");
        try (OutputStream out = Files.newOutputStream(fresh)) {
            kept.store(out, "What espalier-node doctor measured an exchange in the middle of a step to cost");
        }
        Files.move(fresh, file(home), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    Crossing toCrossing() {
        return new Crossing(nanos, "measured by espalier-node doctor on " + device);
    }

    /**
     * Where nothing was measured.
     *
     * @param system its name, as Java has it
     * @return empty but for a Mac
     */
    static Optional<Crossing> assumed(String system) {
        return system.startsWith("Mac")
                ? Optional.of(new Crossing(
                        METAL_NANOS,
                        "assumed: others measured 150 to 200 us on Macs, and espalier-node doctor measures it"))
                : Optional.empty();
    }
}
