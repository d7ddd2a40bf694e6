package org.espalier.kernel.display;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.cluster.GenerationListener;

/**
 * Prints an answer as it comes, and before it how much of the prompt has been read. That line goes when the answer begins, and does not come at
 * all where that is soon.
 */
public final class PromptProgress implements GenerationListener, AutoCloseable {

    private static final long SOON_MILLIS = 300;

    private final Output output;
    private final LiveLine line = new LiveLine();
    private long done;
    private long total;
    private boolean patient = true;
    private boolean over;

    public PromptProgress(Output output) {
        this.output = output;
        CompletableFuture.delayedExecutor(SOON_MILLIS, TimeUnit.MILLISECONDS).execute(this::begin);
    }

    private synchronized void begin() {
        patient = false;
        show();
    }

    @Override
    public synchronized void onPrefill(int read, int all) {
        done = read;
        total = all;
        show();
    }

    @Override
    public synchronized void onWaiting(int place) {
        if (!patient && !over && line.due()) {
            line.show(output, LiveLine.bar(0, "waits, as number " + place + " in the queue", "waiting"));
        }
    }

    private void show() {
        if (!patient && !over && total > 0 && line.due()) {
            String words = "read " + done + " of " + total + " tokens of the prompt";
            line.show(output, LiveLine.bar(100 * done / total, words, "reading a prompt of " + total + " tokens"));
        }
    }

    @Override
    public void onText(String piece) {
        close();
        output.print(piece);
    }

    /** Takes the line away; an answer may have no text, or fail. */
    @Override
    public synchronized void close() {
        if (!over) {
            over = true;
            line.remove(output);
        }
    }
}
