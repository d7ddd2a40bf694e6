package org.espalier.node.delivery;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.espalier.engine.library.SelfTest;
import org.espalier.hub.PackageFile;

/**
 * A published build of MLX, of the one version that the engine is written for.
 *
 * @param platform such as {@code darwin-aarch64-macos15}
 * @param oldest version of the system that it runs on; 0 for any
 */
record MlxWheel(String platform, String oldest, PackageFile file) {

    private static final String PINS = "mlx-wheels.txt";

    /** The newest that runs on this machine; empty where there is none. */
    static Optional<MlxWheel> ofThisMachine() {
        return of(System.getProperty("os.name"), System.getProperty("os.arch"), System.getProperty("os.version"));
    }

    static Optional<MlxWheel> of(String system, String processor, String version) {
        boolean mac = system.startsWith("Mac");
        String family = mac ? "darwin" : system.toLowerCase(Locale.ROOT);
        boolean arm = processor.equals("aarch64") || processor.equals("arm64");
        String prefix = family + (arm ? "-aarch64-" : "-x86-64-");
        return all().stream()
                .filter(wheel -> wheel.platform.startsWith(prefix))
                .filter(wheel -> !mac || compare(macVersion(version), numbers(wheel.oldest)) >= 0)
                .findFirst();
    }

    /** Version, and platform, of which there is one folder. */
    String folder() {
        return version() + "-" + platform;
    }

    String version() {
        return file.name().split("-")[1];
    }

    /** The newest first. */
    static List<MlxWheel> all() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(SelfTest.class.getResourceAsStream(PINS)), StandardCharsets.US_ASCII))) {
            return lines.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.trim().split("\\s+"))
                    .map(pin -> new MlxWheel(pin[0], pin[1], new PackageFile(pin[4], Long.parseLong(pin[2]), pin[3])))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** To programs that were built before it, macOS 26 says that it is 16. */
    private static int[] macVersion(String version) {
        int[] numbers = numbers(version);
        if (numbers[0] >= 16 && numbers[0] < 26) {
            numbers[0] += 10;
        }
        return numbers;
    }

    private static int[] numbers(String version) {
        return Arrays.stream(version.replaceAll("[^0-9.].*", "").split("\\."))
                .filter(part -> !part.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
    }

    private static int compare(int[] version, int[] oldest) {
        return Arrays.compare(version, oldest);
    }
}
