package org.espalier.kernel.display;

import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** The progress of several nodes in one display, which is replaced at most a few times a second. */
public final class ProgressBar {

    private static final long BETWEEN_UPDATES_NANOS = 100_000_000;

    private final Output output;
    private final String title;
    private final String id = UUID.randomUUID().toString();
    private final Map<String, long[]> parts = new TreeMap<>();
    private boolean shown;
    private long updated;

    public ProgressBar(Output output, String title) {
        this.output = output;
        this.title = title;
    }

    /** A node has {@code done} of {@code total} bytes. */
    public synchronized void report(String node, long done, long total) {
        parts.put(node, new long[] {done, total});
        if (System.nanoTime() - updated > BETWEEN_UPDATES_NANOS) {
            show(picture());
        }
    }

    /** One thing has {@code done} of {@code total} bytes; {@code text} says it in words. */
    public synchronized void report(long done, long total, String text) {
        if (System.nanoTime() - updated > BETWEEN_UPDATES_NANOS) {
            show(picture(100 * done / Math.max(1, total), text));
        }
    }

    /** Puts a last line in the bar's place. */
    public synchronized void finish(String line) {
        show(with(Bundles.note(line)));
    }

    private void show(DisplayData data) {
        updated = System.nanoTime();
        if (shown) {
            output.update(data);
        } else {
            output.display(data);
            shown = true;
        }
    }

    private DisplayData picture() {
        long done = parts.values().stream().mapToLong(part -> part[0]).sum();
        long total =
                Math.max(1, parts.values().stream().mapToLong(part -> part[1]).sum());
        return picture(100 * done / total, Bytes.text(done) + " of " + Bytes.text(total));
    }

    private DisplayData picture(long percent, String text) {
        DisplayData data = new DisplayData(title + " " + percent + " %");
        data.putHTML("<progress value=\"" + percent + "\" max=\"100\"></progress> " + Escape.html(title) + " "
                + Escape.html(text));
        return with(data);
    }

    private DisplayData with(DisplayData data) {
        data.setDisplayId(id);
        return data;
    }
}
