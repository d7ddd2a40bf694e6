package org.espalier.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.espalier.EspalierException;

/**
 * Gives a parser many damaged inputs. Each must end, soon and without taking much memory, in a result or an {@link EspalierException}.
 * {@code -Despalier.fuzz.inputs=N} sets how many, {@code -Despalier.fuzz.seed=S} the first seed: input i has seed S + i.
 */
public final class Fuzzing {

    private static final int INPUTS = Integer.getInteger("espalier.fuzz.inputs", 3000);
    private static final long SEED = Long.getLong("espalier.fuzz.seed", 1);

    /** A hundred times what the slowest takes, for a busy machine. */
    private static final int SECONDS = 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** What is tried with an input. */
    @FunctionalInterface
    public interface Parser {
        void parse(byte[] input) throws IOException;
    }

    private final String name;
    private final Parser parser;
    private final long maxBytes;

    private Fuzzing(String name, Parser parser, long maxBytes) {
        this.name = name;
        this.parser = parser;
        this.maxBytes = maxBytes;
    }

    /**
     * @param name of the parser, for messages
     * @param corpus valid inputs
     * @param maxBytes what one input may allocate in Java, so that a claimed length is not believed
     */
    public static void run(String name, List<byte[]> corpus, long maxBytes, Parser parser) {
        Fuzzing fuzzing = new Fuzzing(name, parser, maxBytes);
        ExecutorService thread = Executors.newSingleThreadExecutor(work -> {
            Thread daemon = new Thread(work, "fuzz-" + name);
            daemon.setDaemon(true);
            return daemon;
        });
        try {
            for (long seed = SEED; seed < SEED + INPUTS; seed++) {
                byte[] input = new Mutator(corpus, seed).next();
                fuzzing.check(thread, seed, input);
            }
        } finally {
            thread.shutdownNow();
        }
    }

    private void check(ExecutorService thread, long seed, byte[] input) {
        try {
            long allocated = thread.submit(() -> allocatedBy(input)).get(SECONDS, TimeUnit.SECONDS);
            if (allocated > maxBytes) {
                throw failure(
                        seed, input, "allocated " + allocated + " bytes, at most " + maxBytes + " are fine", null);
            }
        } catch (ExecutionException e) {
            throw failure(seed, input, "gave " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw failure(seed, input, "is not done after " + SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure(seed, input, "was interrupted", e);
        }
    }

    private long allocatedBy(byte[] input) throws IOException {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try {
            parser.parse(input);
        } catch (EspalierException e) {
            if (e.getMessage() == null || e.getMessage().isBlank()) {
                throw new AssertionError("an error without a message", e);
            }
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private AssertionError failure(long seed, byte[] input, String what, Throwable cause) {
        Path file = Path.of("target", "fuzz", name.replace(' ', '-') + "-" + seed);
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, input);
        } catch (IOException e) {
            what += " (and cannot be kept: " + e.getMessage() + ")";
        }
        return new AssertionError(
                name + ": the input of seed " + seed + " " + what + "; it lies in " + file
                        + ", repeat with -Despalier.fuzz.seed=" + seed + " -Despalier.fuzz.inputs=1",
                cause);
    }
}
