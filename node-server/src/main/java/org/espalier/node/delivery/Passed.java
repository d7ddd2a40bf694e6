package org.espalier.node.delivery;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.Properties;

/**
 * That a library passed its self-test, kept beside it: it is tried again when it, this program or the system changes.
 *
 * @param device what it ran on
 * @param experts how it computed them there, and so which way was compared with the stored numbers
 * @param what how it was come by
 * @param version of it
 * @param system name and version of the operating system, and processor
 */
public record Passed(String device, String experts, String what, String version, String system) {

    static String thisSystem() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch");
    }

    /** Empty where none passed, or the file cannot be read: then it is tried again. */
    static Optional<Passed> read(MlxHome home) {
        Properties kept = new Properties();
        try (InputStream in = Files.newInputStream(home.passed())) {
            kept.load(in);
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty();
        }
        return Optional.of(new Passed(
                kept.getProperty("device", ""),
                kept.getProperty("experts", ""),
                kept.getProperty("what", ""),
                kept.getProperty("version", ""),
                kept.getProperty("system", "")));
    }

    void write(MlxHome home) throws IOException {
        Properties kept = new Properties();
        kept.setProperty("device", device);
        kept.setProperty("experts", experts);
        kept.setProperty("what", what);
        kept.setProperty("version", version);
        kept.setProperty("system", system);
        Path fresh = Files.createTempFile(home.folder(), "self-test", ".new");
        try (OutputStream out = Files.newOutputStream(fresh)) {
            kept.store(out, "The engine's library passed its self-test");
        }
        Files.move(fresh, home.passed(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
