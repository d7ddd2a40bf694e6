package org.espalier.node.cli;

import java.io.PrintWriter;
import org.espalier.hub.PullListener;
import org.espalier.hub.PullProgress;

/** How far fetching is: a line now and then, and the last one. */
final class PullLines implements PullListener {
    private static final long BETWEEN_LINES = 2_000_000_000L; // nanoseconds

    private final PrintWriter out;
    private long next = System.nanoTime();

    PullLines(PrintWriter out) {
        this.out = out;
    }

    @Override
    public void onProgress(PullProgress progress) {
        long now = System.nanoTime();
        if (now >= next || progress.done() == progress.total()) {
            next = now + BETWEEN_LINES;
            out.println(progress.text());
            out.flush();
        }
    }
}
