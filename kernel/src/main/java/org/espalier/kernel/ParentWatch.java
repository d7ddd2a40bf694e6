package org.espalier.kernel;

import java.io.PrintStream;
import java.util.Optional;
import org.espalier.DaemonThreads;

/** Ends the kernel when the process that started it is gone, however it went. */
final class ParentWatch {

    private static final long BETWEEN_LOOKS_MILLIS = 1000;

    private ParentWatch() {}

    /** @param terminal hears why the kernel ends */
    static void start(PrintStream terminal) {
        String pid = System.getenv("JPY_PARENT_PID");
        if (pid == null || !pid.matches("\\d+")) {
            return;
        }
        Optional<ProcessHandle> parent =
                ProcessHandle.of(Long.parseLong(pid)); // empty if it went while this kernel started
        new DaemonThreads("espalier-parent")
                .newThread(() -> watch(parent, terminal))
                .start();
    }

    private static void watch(Optional<ProcessHandle> parent, PrintStream terminal) {
        while (parent.filter(ProcessHandle::isAlive).isPresent()) {
            try {
                Thread.sleep(BETWEEN_LOOKS_MILLIS);
            } catch (InterruptedException e) {
                // by code that interrupts every thread it finds: it looks again
            }
        }
        terminal.println("espalier-kernel: the process that started it is gone");
        System.exit(0);
    }
}
