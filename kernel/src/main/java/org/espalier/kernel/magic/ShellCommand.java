package org.espalier.kernel.magic;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.kernel.jshell.StandardStreams;

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
        Copier output = new Copier(process.getInputStream());
        Thread copying = new DaemonThreads("espalier-shell-output").newThread(output::copy);
        copying.start();
        try {
            int status = process.waitFor();
            output.heard = System.nanoTime();
            while (copying.isAlive() && !output.isQuiet()) {
                copying.join(QUIET_MILLIS);
            }
            if (status != 0) {
                throw new EspalierException("`" + command + "` ended with exit status " + status);
            }
        } catch (InterruptedException e) {
            end(process);
            throw e;
        }
    }

    private static final class Copier {
        private final InputStream output;
        /** When the command last wrote, or ended. */
        private volatile long heard = System.nanoTime();
        /** Whether text is being shown, which waits for a slow client: the command is not silent meanwhile. */
        private volatile boolean showing;

        Copier(InputStream output) {
            this.output = output;
        }

        boolean isQuiet() {
            return !showing && System.nanoTime() - heard >= TimeUnit.MILLISECONDS.toNanos(QUIET_MILLIS);
        }

        void copy() {
            byte[] some = new byte[8192];
            try (output) { // a command whose output nobody reads any more must not wait for ever
                for (int count = output.read(some); count >= 0; count = output.read(some)) {
                    showing = true;
                    StandardStreams.out().write(some, 0, count);
                    StandardStreams.out().flush();
                    heard = System.nanoTime();
                    showing = false;
                }
            } catch (IOException e) {
                // the process was ended, and its output with it
            }
        }
    }

    /** A shell ends without its children: they are found first. A second interrupt ends the wait for them to end by themselves. */
    private static void end(Process process) {
        List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                .toList();
        all.forEach(ProcessHandle::destroy);
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TERMINATE_MILLIS);
        try {
            while (all.stream().anyMatch(ProcessHandle::isAlive) && System.nanoTime() < deadline) {
                Thread.sleep(10);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            all.forEach(ProcessHandle::destroyForcibly);
        }
    }
}
