package org.espalier.kernel.jshell;

import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.concurrent.Callable;

/** One run of a cell's code, on a thread of its own. */
final class CellRun {

    private static final long GRACE_MILLIS = 500;

    private final CellThread thread;
    private final Callable<?> code;
    private Throwable thrown;
    private volatile Object returned;
    private boolean ended;
    private boolean stopped;

    CellRun(Callable<?> code, CellThread thread) {
        StopCheck.begin();
        this.code = code;
        this.thread = thread;
    }

    private void run() {
        try {
            returned = code.call();
        } catch (InvocationTargetException e) {
            thrown = e.getCause();
        } catch (Throwable e) {
            thrown = e; // a stop that came outside the code, or what reflection refuses
        } finally {
            synchronized (this) {
                ended = true;
                notifyAll();
            }
        }
    }

    /** What the code returned; null until it has, and for code without a value. */
    Object returned() {
        return returned;
    }

    /**
     * Runs the code and waits for its end. An interrupt of the waiting thread stops the code.
     *
     * @throws InvocationTargetException with what it throws
     * @throws InterruptedException if it was stopped
     */
    void toEnd() throws InvocationTargetException, InterruptedException {
        if (Thread.interrupted()) {
            thread.run(() -> {});
            throw new InterruptedException();
        }
        thread.run(this::run);
        try {
            awaitEndOrStop();
        } catch (InterruptedException e) {
            stop();
        }
        synchronized (this) {
            if (stopped) {
                awaitEndOfStopped();
                throw new InterruptedException();
            }
        }
        if (thrown != null) {
            throw new InvocationTargetException(thrown);
        }
    }

    private synchronized void awaitEndOrStop() throws InterruptedException {
        while (!ended && !stopped) {
            wait();
        }
    }

    /** Code that neither loops nor waits, in a library for instance, does not notice. Java up to 19 can end a thread by force. */
    private void awaitEndOfStopped() throws InterruptedException {
        if (!endsWithin(GRACE_MILLIS) && Runtime.version().feature() < 20) {
            thread.stop();
        }
        if (!endsWithin(GRACE_MILLIS)) {
            StandardStreams.err()
                    .println("The cell's code does not stop: it goes on in the background, in the thread \""
                            + thread.name() + "\". Restarting the kernel ends it.");
        }
    }

    private synchronized boolean endsWithin(long millis) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofMillis(millis).toNanos();
        while (!ended && System.nanoTime() < deadline) {
            wait(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
        }
        return ended;
    }

    /** Ends the code and whatever threads it started, from any thread. */
    void stop() {
        synchronized (this) {
            if (ended || stopped) {
                return;
            }
            stopped = true;
            notifyAll();
        }
        StopCheck.stop(thread.group());
        thread.group().interrupt();
    }
}
