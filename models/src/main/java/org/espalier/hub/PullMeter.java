package org.espalier.hub;

import java.util.function.LongConsumer;

/** Adds up what several downloads bring, and reports it. */
final class PullMeter implements LongConsumer {

    private final PullListener listener;
    private final long started = System.nanoTime();
    private final long total;
    private long done;
    private long fresh;

    /** @param done bytes that are here already */
    PullMeter(long total, long done, PullListener listener) {
        this.total = total;
        this.done = done;
        this.listener = listener;
    }

    @Override
    public synchronized void accept(long bytes) {
        done += bytes;
        fresh += bytes;
        double seconds = Math.max(1e-3, (System.nanoTime() - started) / 1e9);
        listener.onProgress(new PullProgress(done, total, Math.max(0, fresh) / seconds));
    }
}
