package org.espalier.node.delivery;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * How much MLX puts into one of Metal's command buffers. What is best differs between chips by a tenth of the speed, so it is measured ({@code espalier-node
 * doctor}) and kept beside MLX with the device that it was measured on.
 *
 * @param operations {@code MLX_MAX_OPS_PER_BUFFER}
 * @param megabytes {@code MLX_MAX_MB_PER_BUFFER}
 * @param device that it was measured on, with MLX's version
 */
public record BufferLimits(int operations, int megabytes, String device) {

    /** MLX's own first. */
    public static List<BufferLimits> tried(String device) {
        return List.of(
                new BufferLimits(50, 50, device),
                new BufferLimits(200, 100, device),
                new BufferLimits(500, 200, device),
                new BufferLimits(1000, 400, device));
    }

    public Map<String, String> variables() {
        return Map.of(
                "MLX_MAX_OPS_PER_BUFFER", Integer.toString(operations),
                "MLX_MAX_MB_PER_BUFFER", Integer.toString(megabytes));
    }

    private static Path file(MlxHome home) {
        return home.folder().resolve("buffer-limits");
    }

    /** Empty where nothing was measured, or on another device than the one that passed the self-test. */
    public static Optional<BufferLimits> read(MlxHome home) {
        Properties kept = new Properties();
        try (InputStream in = Files.newInputStream(file(home))) {
            kept.load(in);
            BufferLimits limits = new BufferLimits(
                    Integer.parseInt(kept.getProperty("operations", "")),
                    Integer.parseInt(kept.getProperty("megabytes", "")),
                    kept.getProperty("device", ""));
            return Passed.read(home)
                    .filter(passed -> passed.device().equals(limits.device))
                    .map(passed -> limits);
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty(); // MLX's own
        }
    }

    public void write(MlxHome home) throws IOException {
        Properties kept = new Properties();
        kept.setProperty("operations", Integer.toString(operations));
        kept.setProperty("megabytes", Integer.toString(megabytes));
        kept.setProperty("device", device);
        Path fresh = Files.createTempFile(home.folder(), "buffer-limits", ".new");
        try (OutputStream out = Files.newOutputStream(fresh)) {
            kept.store(out, "The fastest of those that espalier-node doctor tried");
        }
        Files.move(fresh, file(home), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
