package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import org.espalier.DaemonThreads;

/** Closes a stream that brings nothing for too long, so that whoever reads it fails rather than waits. */
final class StallGuard implements AutoCloseable {

    private final Thread watcher;
    private volatile long last = System.nanoTime();

    StallGuard(InputStream stream, Duration limit) {
        watcher = new DaemonThreads("espalier-hub-stall").newThread(() -> watch(stream, limit));
        watcher.start();
    }

    private void watch(InputStream stream, Duration limit) {
        try {
            while (true) {
                long left = limit.toNanos() - (System.nanoTime() - last);
                if (left <= 0) {
                    stream.close();
                    return;
                }
                Thread.sleep(left / 1_000_000 + 1);
            }
        } catch (InterruptedException | IOException e) {
            Thread.currentThread().interrupt(); // closed, or nothing left to close
        }
    }

    void alive() {
        last = System.nanoTime();
    }

    @Override
    public void close() {
        watcher.interrupt();
    }
}
