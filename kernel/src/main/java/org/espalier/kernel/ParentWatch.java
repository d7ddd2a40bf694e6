package org.espalier.kernel;

import java.io.PrintStream;
import java.util.Optional;

/** Ends the kernel when the process that started it is gone, however it went. */
final class ParentWatch {

    private static final long BETWEEN_LOOKS_MILLIS = 1000;

    private ParentWatch() {}

    /** @param terminal hears why the kernel ends */
    static void start(PrintStream terminal) {
        Optional<ProcessHandle> parent = Optional.ofNullable(System.getenv("JPY_PARENT_PID"))
                .filter(pid -> pid.matches("\\d+"))
                .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)));
        if (parent.isEmpty()) {
            return;
        }
        Thread thread = new Thread(() -> watch(parent.get(), terminal), "espalier-parent");
        thread.setDaemon(true);
        thread.start();
    }

    private static void watch(ProcessHandle parent, PrintStream terminal) {
        try {
            while (parent.isAlive()) {
                Thread.sleep(BETWEEN_LOOKS_MILLIS);
            }
            terminal.println("espalier-kernel: the process that started it is gone");
            System.exit(0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
