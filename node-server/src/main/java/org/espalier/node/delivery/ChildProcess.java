package org.espalier.node.delivery;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.espalier.DaemonThreads;

/**
 * A program that is run to its end, or to a deadline.
 *
 * @param command and its arguments
 * @param environment added to this process's
 */
public record ChildProcess(List<String> command, Map<String, String> environment, Duration deadline) {

    private static final int MOST_OUTPUT = 16 << 10;

    /**
     * @param code the exit status; empty where the deadline passed and the child was killed
     * @param output the end of what it wrote, errors too
     */
    public record Ended(Optional<Integer> code, String output) {

        public boolean isFine() {
            return code.equals(Optional.of(0));
        }

        /** The last line that is not blank. */
        public String lastLine() {
            String[] lines = output.strip().split("\\R");
            return lines[lines.length - 1].strip();
        }
    }

    /**
     * Kills the child when the thread is interrupted.
     *
     * @throws IOException if it cannot be started
     */
    public Ended run() throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        Tail tail = new Tail(process.getInputStream());
        Thread reader = new DaemonThreads("espalier-child").newThread(tail);
        reader.start();
        try {
            boolean ended = process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS);
            if (ended) {
                reader.join(1000); // a grandchild may hold the pipe
            }
            return new Ended(ended ? Optional.of(process.exitValue()) : Optional.empty(), tail.text());
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    /** Keeps the end of a stream. */
    private static final class Tail implements Runnable {
        private final InputStream in;
        private final StringBuilder kept = new StringBuilder();

        Tail(InputStream in) {
            this.in = in;
        }

        @Override
        public void run() {
            byte[] buffer = new byte[1 << 12];
            try {
                for (int count; (count = in.read(buffer)) >= 0; ) {
                    synchronized (this) {
                        kept.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
                        if (kept.length() > MOST_OUTPUT) {
                            kept.delete(0, kept.length() - MOST_OUTPUT);
                        }
                    }
                }
            } catch (IOException e) {
                // the child was killed
            }
        }

        synchronized String text() {
            return kept.toString();
        }
    }
}
