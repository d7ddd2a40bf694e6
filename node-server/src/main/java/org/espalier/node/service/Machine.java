package org.espalier.node.service;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.v1.DescribeReply;

/** The machine that a node runs on: memory and processor. */
final class Machine {

    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
    private static final String DEVICE = device();
    private static final String ID = id();

    private Machine() {}

    /** What {@code Describe} reports of the machine itself. */
    static DescribeReply.Builder describe() {
        return DescribeReply.newBuilder()
                .setVersion(version())
                .setTotalMemoryBytes(totalBytes())
                .setFreeMemoryBytes(freeBytes())
                .setDevice(DEVICE)
                .setMachine(ID)
                .setProcessors(Runtime.getRuntime().availableProcessors());
    }

    static ModelMemory modelMemory() {
        return mac()
                ? ModelMemory.ofMac(totalBytes(), output("sysctl", "-n", "iogpu.wired_limit_mb"))
                : ModelMemory.all(totalBytes());
    }

    static long totalBytes() {
        return system().getTotalMemorySize();
    }

    /** Bytes that a shard may still take: unused memory, and what the system would release, such as its file cache. */
    static long freeBytes() {
        if (Files.isReadable(MEMINFO)) {
            return find(MEMINFO, "MemAvailable:\\s+(\\d+) kB")
                    .map(kib -> Long.parseLong(kib) * 1024)
                    .orElseGet(() -> system().getFreeMemorySize());
        }
        return mac() ? macFreeBytes() : system().getFreeMemorySize();
    }

    /** macOS counts its file cache as used; vm_stat counts it separately. */
    private static long macFreeBytes() {
        String report = output("vm_stat");
        long page = number(report, "page size of (\\d+) bytes");
        long pages = number(report, "Pages free:\\s+(\\d+)")
                + number(report, "Pages inactive:\\s+(\\d+)")
                + number(report, "Pages speculative:\\s+(\\d+)")
                + number(report, "Pages purgeable:\\s+(\\d+)");
        return page * pages > 0 ? page * pages : system().getFreeMemorySize();
    }

    private static String device() {
        String name = mac()
                ? output("sysctl", "-n", "machdep.cpu.brand_string").strip()
                : find(CPUINFO, "model name\\s*:\\s*(.+)").orElse("");
        return name.isEmpty() ? System.getProperty("os.arch") : name;
    }

    /** That of its last start, which processes and containers share; empty where the system has none. */
    private static String id() {
        return mac()
                ? output("sysctl", "-n", "kern.bootsessionuuid").strip()
                : find(BOOT, "(.+)").orElse("");
    }

    private static String version() {
        String version = Machine.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    private static boolean mac() {
        return System.getProperty("os.name").startsWith("Mac");
    }

    private static OperatingSystemMXBean system() {
        return (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    }

    private static Optional<String> find(Path file, String pattern) {
        try {
            Matcher matcher = Pattern.compile(pattern).matcher(Files.readString(file));
            return matcher.find() ? Optional.of(matcher.group(1).strip()) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static long number(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }

    /** What a command of the system says, in fewer than the 64 KB that a pipe holds; nothing if it is not there, or takes more than 2 s. */
    static String output(String... command) {
        Process process = null;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            return process.waitFor(2, TimeUnit.SECONDS)
                    ? new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    : "";
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
        }
    }
}
