package org.espalier.node.service;

import com.sun.jna.Memory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.espalier.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How fast this machine reads memory, which bounds how fast it decodes: all processors compare two halves that are equal, which the JVM does with
 * its widest registers and without a warm-up. Measured once in a process, within about 0.1 s; memory of its own, not the heap's, so that it is
 * given back at once.
 */
final class ReadRate {

    private static final Logger LOG = LoggerFactory.getLogger(ReadRate.class);

    /** Several times what most caches hold; on machines with larger ones the rate is partly theirs. */
    private static final long BYTES = 128 << 20;

    /** A process that was paused in one of them is fast in another. */
    private static final int LEAST_PASSES = 3;

    private static final int MOST_PASSES = 8;
    private static final long NANOS = 80_000_000;

    private static volatile long measured;

    private ReadRate() {}

    /** Bytes a second; 0 where there is no memory to measure with. */
    static synchronized long bytesPerSecond() {
        if (measured == 0) {
            measured = measure(Runtime.getRuntime().availableProcessors());
        }
        return measured;
    }

    /** What was measured before; 0 if nothing was. */
    static long known() {
        return measured;
    }

    private static long measure(int processors) {
        long each = BYTES / processors / 2;
        List<Memory> parts = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(processors, new DaemonThreads("espalier-reads"));
        try {
            List<Callable<Boolean>> fills = new ArrayList<>();
            List<Callable<Boolean>> reads = new ArrayList<>();
            for (int i = 0; i < processors; i++) {
                Memory part = new Memory(2 * each);
                parts.add(part);
                ByteBuffer one = part.getByteBuffer(0, each);
                ByteBuffer other = part.getByteBuffer(each, each);
                fills.add(() -> {
                    part.setMemory(0, 2 * each, (byte) 1); // pages that nobody wrote would all be one
                    return true;
                });
                reads.add(() -> one.mismatch(other) < 0);
            }
            run(threads, fills);
            long end = System.nanoTime() + NANOS;
            long least = Long.MAX_VALUE;
            for (int pass = 0; pass < MOST_PASSES && (pass < LEAST_PASSES || System.nanoTime() < end); pass++) {
                long begin = System.nanoTime();
                run(threads, reads);
                least = Math.min(least, System.nanoTime() - begin);
            }
            return (long) (2.0 * each * processors * 1e9 / Math.max(1, least));
        } catch (OutOfMemoryError | LinkageError e) {
            LOG.warn("how fast memory is read is not measured: {}", e.toString());
            return 0;
        } finally {
            threads.shutdown();
            parts.forEach(Memory::close);
        }
    }

    private static void run(ExecutorService threads, List<Callable<Boolean>> work) {
        try {
            for (Future<Boolean> done : threads.invokeAll(work)) {
                done.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
