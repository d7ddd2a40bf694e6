package org.espalier.kernel.jshell;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.espalier.DaemonThreads;

/**
 * Makes threads of cells before they are needed, on a thread of its own: whoever starts a thread waits until it has had its first turn, which
 * takes several milliseconds where the cores are busy, as they are with compiling what a cell needs.
 */
final class CellThreadSupply {

    /** A cell needs one for its code and one to show its value. */
    private static final int READY = 2;

    private static final int TRY_AGAIN_MILLIS = 100;

    private final BlockingQueue<CellThread> ready = new ArrayBlockingQueue<>(READY);
    private final ClassLoader classes;

    CellThreadSupply(ClassLoader classes) {
        this.classes = classes;
        new DaemonThreads("espalier-cell-threads").newThread(this::supply).start();
    }

    private void supply() {
        while (true) {
            try {
                ready.put(new CellThread(classes));
            } catch (OutOfMemoryError e) { // the code's own threads are all that there may be
                pause();
            } catch (InterruptedException e) {
                // by code that interrupts every thread it finds: this one is still needed
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(TRY_AGAIN_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    CellThread next() {
        CellThread waiting = ready.poll();
        return waiting == null ? new CellThread(classes) : waiting;
    }
}
