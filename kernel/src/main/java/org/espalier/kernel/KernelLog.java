package org.espalier.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.logging.FileHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Where libraries log to while a kernel runs: a file, never a cell. */
final class KernelLog {

    private static final int FILES = 4;
    private static final int BYTES = 1 << 20;

    private static Path file = Path.of("(none)");

    private KernelLog() {}

    static Path file() {
        return file;
    }

    /** Sends all logs to a file in the user's cache folder; without one, nowhere. */
    static void install() {
        LogManager.getLogManager().reset();
        Logger root = Logger.getLogger("");
        root.setLevel(Level.WARNING);
        Logger.getLogger("org.espalier").setLevel(Level.INFO);
        try {
            Path folder = Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
                    .map(Path::of)
                    .orElse(Path.of(System.getProperty("user.home"), ".cache"))
                    .resolve("espalier");
            Files.createDirectories(folder);
            file = folder.resolve("kernel-" + ProcessHandle.current().pid() % FILES + ".log");
            System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tF %1$tT %4$s %3$s: %5$s%6$s%n");
            Handler handler = new FileHandler(file.toString(), BYTES, 1, true);
            handler.setFormatter(new SimpleFormatter());
            root.addHandler(handler);
        } catch (IOException e) {
            file = Path.of("(none: " + e.getMessage() + ")");
        }
    }
}
