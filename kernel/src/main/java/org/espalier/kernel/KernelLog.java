package org.espalier.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.logging.ErrorManager;
import java.util.logging.FileHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where libraries log to while a kernel runs: a file of this kernel alone, never a cell. */
final class KernelLog {

    /** Logs of kernels that have ended: so many are kept. */
    private static final int KEPT = 10;

    private static final int BYTES = 1 << 20;
    private static final Pattern NAME = Pattern.compile("kernel-\\d{8}-\\d{6}-(\\d+)\\.log(\\.lck)?");

    private static volatile Path file = Path.of("(none)");

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
            removeOld(folder);
            file = folder.resolve(
                    name(LocalDateTime.now(), ProcessHandle.current().pid()));
            System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tF %1$tT %4$s %3$s: %5$s%6$s%n");
            String pattern = file.toString().replace("%", "%%");
            Handler handler = new FileHandler(pattern, BYTES, 1, true);
            handler.setFormatter(new SimpleFormatter());
            handler.setErrorManager(new ErrorManager() {
                @Override
                public void error(String message, Exception cause, int code) {
                    // on a full disk: it would say so in cells
                }
            });
            root.addHandler(handler);
        } catch (IOException e) {
            file = Path.of("(none: " + e.getMessage() + ")");
        }
    }

    /** Of one process only: the handler would write to another file where one of this name is in use. */
    static String name(LocalDateTime start, long pid) {
        return "kernel-" + DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").format(start) + "-" + pid + ".log";
    }

    /** Removes all but the newest logs of processes that have ended. */
    static void removeOld(Path folder) throws IOException {
        List<Path> ended;
        try (Stream<Path> files = Files.list(folder)) {
            ended = files.filter(KernelLog::hasEnded)
                    .sorted(Comparator.comparing((Path log) -> log.getFileName().toString())
                            .reversed())
                    .toList();
        }
        int logs = 0;
        for (Path log : ended) {
            logs += log.toString().endsWith(".log") ? 1 : 0;
            if (logs > KEPT || log.toString().endsWith(".lck")) {
                Files.deleteIfExists(log);
            }
        }
    }

    private static boolean hasEnded(Path log) {
        Matcher matcher = NAME.matcher(log.getFileName().toString());
        return matcher.matches()
                && ProcessHandle.of(Long.parseLong(matcher.group(1))).isEmpty();
    }
}
