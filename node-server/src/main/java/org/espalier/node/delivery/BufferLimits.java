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
 * How much MLX puts into one of the GPU's command buffers. What is best differs between chips by a tenth of the speed, so it is measured ({@code espalier-node
 * doctor}) and kept beside MLX with the device that it was measured on.
 *
 * @param operations {@code MLX_MAX_OPS_PER_BUFFER}; 0 for MLX's own
 * @param megabytes {@code MLX_MAX_MB_PER_BUFFER}; 0 for MLX's own
 * @param device that it was measured on, with MLX's version
 */
public record BufferLimits(int operations, int megabytes, String device) {

    private static final String OPERATIONS = "MLX_MAX_OPS_PER_BUFFER";
    private static final String MEGABYTES = "MLX_MAX_MB_PER_BUFFER";
    private static final String UNSET = "unset";

    public BufferLimits {
        if (operations < 0 || megabytes < 0 || (operations == 0) != (megabytes == 0)) {
            throw new IllegalArgumentException(
                    operations + " ops and " + megabytes + " MB, expected both positive or both 0 for MLX's own");
        }
    }

    /** Which MLX chooses by the chip, so that only leaving its variables unset gives them. */
    public static BufferLimits own(String device) {
        return new BufferLimits(0, 0, device);
    }

    /** Beside MLX's own. */
    public static List<BufferLimits> others(String device) {
        return List.of(
                new BufferLimits(40, 40, device),
                new BufferLimits(50, 50, device),
                new BufferLimits(200, 100, device),
                new BufferLimits(500, 200, device),
                new BufferLimits(1000, 400, device));
    }

    /** The variable that is set in this environment. A child inherits it, and then MLX's own are not to be had. */
    public static Optional<String> inherited(Map<String, String> environment) {
        return List.of(OPERATIONS, MEGABYTES).stream()
                .filter(environment::containsKey)
                .findFirst();
    }

    public boolean areOwn() {
        return operations == 0;
    }

    /** For people. */
    public String title() {
        return areOwn() ? "unset (MLX's own)" : operations + " ops " + megabytes + " MB";
    }

    /** None where they are MLX's own. */
    public Map<String, String> variables() {
        return areOwn()
                ? Map.of()
                : Map.of(OPERATIONS, Integer.toString(operations), MEGABYTES, Integer.toString(megabytes));
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
                    number(kept.getProperty("operations", "")),
                    number(kept.getProperty("megabytes", "")),
                    kept.getProperty("device", ""));
            return Passed.read(home)
                    .filter(passed -> passed.device().equals(limits.device))
                    .map(passed -> limits);
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty(); // MLX's own
        }
    }

    private static int number(String kept) {
        return kept.equals(UNSET) ? 0 : Integer.parseInt(kept);
    }

    private static String text(int number) {
        return number == 0 ? UNSET : Integer.toString(number);
    }

    public void write(MlxHome home) throws IOException {
        Properties kept = new Properties();
        kept.setProperty("operations", text(operations));
        kept.setProperty("megabytes", text(megabytes));
        kept.setProperty("device", device);
        Path fresh = Files.createTempFile(home.folder(), "buffer-limits", ".new");
        try (OutputStream out = Files.newOutputStream(fresh)) {
            kept.store(
                    out,
                    areOwn()
                            ? "MLX's own: nothing that espalier-node doctor tried was clearly faster"
                            : "The fastest of those that espalier-node doctor tried, clearly faster than MLX's own");
        }
        Files.move(fresh, file(home), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
