package org.espalier.node.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.espalier.DaemonThreads;

/**
 * Interrupts the thread that made it when the process ends (Ctrl-C, SIGTERM), and lets it clean up first: the virtual machine would end without
 * running what is left of it.
 */
final class InterruptAtExit implements AutoCloseable {

    private static final long CLEANING_SECONDS = 10;

    private final Thread working = Thread.currentThread();
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new DaemonThreads("espalier-exit").newThread(this::interrupt);

    InterruptAtExit() {
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) { // the process ends already, which waits for nobody any more
            working.interrupt();
        }
    }

    private void interrupt() {
        working.interrupt();
        try {
            done.await(CLEANING_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        done.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the process ends
        }
    }
}
