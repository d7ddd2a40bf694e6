package org.espalier.node.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** How long this process has run, to 10 ms: with the launcher that became it and the start of the JVM, where the system tells (Linux, proc(5)). */
public final class ProcessAge {

    private static final Path STAT = Path.of("/proc/self/stat");
    private static final Path UPTIME = Path.of("/proc/uptime");
    private static final int START_TIME = 22 - 3; // field 22, in those from the third on
    private static final double TICKS_PER_SECOND =
            100; // USER_HZ, the same on all of Linux's architectures that Java runs on

    private ProcessAge() {}

    /** Seconds; what asking takes is not counted. */
    public static double seconds() {
        long asked = System.nanoTime();
        if (!Files.isReadable(STAT) || !Files.isReadable(UPTIME)) { // without the launcher and the JVM's own start
            return (System.currentTimeMillis()
                            - ManagementFactory.getRuntimeMXBean().getStartTime())
                    * 1e-3;
        }
        try {
            String stat = Files.readString(STAT);
            String[] afterName = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            double started = Long.parseLong(afterName[START_TIME]) / TICKS_PER_SECOND;
            double up = Double.parseDouble(Files.readString(UPTIME).split(" ")[0]);
            return up - (System.nanoTime() - asked) * 1e-9 - started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
