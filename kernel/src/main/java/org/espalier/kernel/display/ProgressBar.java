package org.espalier.kernel.display;

import java.util.Map;
import java.util.TreeMap;

/** The progress of several nodes in one display, which is replaced at most a few times a second. */
public final class ProgressBar {

    private final Output output;
    private final String title;
    private final LiveLine line = new LiveLine();
    private final Map<String, long[]> parts = new TreeMap<>();

    public ProgressBar(Output output, String title) {
        this.output = output;
        this.title = title;
    }

    /** A node has {@code done} of {@code total} bytes. */
    public synchronized void report(String node, long done, long total) {
        parts.put(node, new long[] {done, total});
        long allDone = parts.values().stream().mapToLong(part -> part[0]).sum();
        long all = parts.values().stream().mapToLong(part -> part[1]).sum();
        report(allDone, all, Bytes.text(allDone) + " of " + Bytes.text(all));
    }

    /** Nothing comes, for a reason that is said instead of the bytes. */
    public synchronized void waiting(String why) {
        long done = parts.values().stream().mapToLong(part -> part[0]).sum();
        long all = parts.values().stream().mapToLong(part -> part[1]).sum();
        report(done, all, why);
    }

    /** One thing has {@code done} of {@code total} bytes; {@code text} says it in words. */
    public synchronized void report(long done, long total, String text) {
        if (line.due()) {
            line.show(output, LiveLine.bar(100 * done / Math.max(1, total), title + " " + text, title + " ..."));
        }
    }

    /** Puts a last line in the bar's place. */
    public synchronized void finish(String text) {
        line.show(output, Bundles.note(text));
    }
}
