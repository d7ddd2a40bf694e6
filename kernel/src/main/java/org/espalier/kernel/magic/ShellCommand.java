package org.espalier.kernel.magic;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.espalier.EspalierException;

/**
 * A command of the system, in a shell of its own in the notebook's folder. What it writes is shown as it comes, both of its streams in
 * their order; it has no input.
 */
public final class ShellCommand {

    /** How long output may be silent after the end: a process in the background may hold it open for ever. */
    private static final long QUIET_MILLIS = 200;

    private static final long TERMINATE_MILLIS = 1000;

    private ShellCommand() {}

    /**
     * Runs it to its end.
     *
     * @throws EspalierException if its exit status is not 0
     * @throws InterruptedException if the cell was interrupted; the command and all processes that it started are ended
     */
    public static void run(String command) throws InterruptedException {
        boolean windows = System.getProperty("os.name").startsWith("Windows");
        List<String> line = windows ? List.of("cmd", "/c", command) : List.of("/bin/sh", "-c", command);
        Process process;
        try {
            process = new ProcessBuilder(line).redirectErrorStream(true).start();
            process.getOutputStream().close();
        } catch (IOException e) {
            throw new EspalierException("cannot run `" + command + "`: " + e.getMessage(), e);
        }
        AtomicLong heard = new AtomicLong(System.nanoTime());
        Thread reading = new Thread(() -> copy(process.getInputStream(), heard), "espalier-shell-output");
        reading.setDaemon(true);
        reading.start();
        try {
            int status = process.waitFor();
            heard.set(System.nanoTime());
            while (reading.isAlive() && System.nanoTime() - heard.get() < TimeUnit.MILLISECONDS.toNanos(QUIET_MILLIS)) {
                reading.join(QUIET_MILLIS);
            }
            if (status != 0) {
                throw new EspalierException("`" + command + "` ended with exit status " + status);
            }
        } catch (InterruptedException e) {
            end(process);
            throw e;
        }
    }

    private static void copy(InputStream output, AtomicLong heard) {
        byte[] some = new byte[8192];
        try {
            for (int count = output.read(some); count >= 0; count = output.read(some)) {
                System.out.write(some, 0, count);
                System.out.flush();
                heard.set(System.nanoTime());
            }
        } catch (IOException e) {
            // the process was ended, and its output with it
        }
    }

    /** A shell ends without its children: they are found first. */
    private static void end(Process process) throws InterruptedException {
        List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                .toList();
        all.forEach(ProcessHandle::destroy);
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TERMINATE_MILLIS);
        while (all.stream().anyMatch(ProcessHandle::isAlive) && System.nanoTime() < deadline) {
            Thread.sleep(10);
        }
        all.forEach(ProcessHandle::destroyForcibly);
    }
}
