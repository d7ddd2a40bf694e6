package org.espalier.node.doctor;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.espalier.node.delivery.ChildProcess;

/** What the system says of itself. */
final class MachineFacts {

    private static final Duration DEADLINE = Duration.ofSeconds(5);

    private MachineFacts() {}

    static boolean isMac() {
        return System.getProperty("os.name").startsWith("Mac");
    }

    static String system() throws InterruptedException {
        String kernel = asked("uname", "-srm").orElse("no uname");
        String product = isMac() ? asked("sw_vers", "-productVersion").orElse("?") : System.getProperty("os.version");
        return System.getProperty("os.name") + " " + product + ", kernel " + kernel + ", Java "
                + System.getProperty("java.runtime.version");
    }

    static String chip() throws InterruptedException {
        String name = isMac()
                ? asked("sysctl", "-n", "machdep.cpu.brand_string").orElse("?")
                : processor().orElse(System.getProperty("os.arch"));
        return name + ", " + Runtime.getRuntime().availableProcessors() + " processors";
    }

    private static Optional<String> processor() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.replaceFirst("^[^:]*: *", ""))
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    static String memory() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return String.format(
                Locale.ROOT,
                "%.1f GB, %.1f GB free",
                system.getTotalMemorySize() / 1e9,
                system.getFreeMemorySize() / 1e9);
    }

    static String wiredLimit() throws InterruptedException {
        if (!isMac()) {
            return "not asked: only macOS has one";
        }
        String limit = asked("sysctl", "-n", "iogpu.wired_limit_mb").orElse("?");
        return limit + " MB" + (limit.equals("0") ? " (0: what macOS chooses)" : "");
    }

    private static Optional<String> asked(String... command) throws InterruptedException {
        try {
            ChildProcess.Ended ended = new ChildProcess(List.of(command), Map.of(), DEADLINE).run();
            return Optional.of(ended.output().strip()).filter(text -> ended.isFine() && !text.isEmpty());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
