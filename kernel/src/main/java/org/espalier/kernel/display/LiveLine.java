package org.espalier.kernel.display;

import java.util.UUID;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** One display that is replaced at most ten times a second, so that a front end keeps up and a saved notebook has the last state only. */
final class LiveLine {

    private static final long BETWEEN_UPDATES_NANOS = 100_000_000;

    private final String id = UUID.randomUUID().toString();
    private boolean shown;
    private long updated;

    /** Whether it is time for another state. */
    boolean due() {
        return !shown || System.nanoTime() - updated > BETWEEN_UPDATES_NANOS;
    }

    /** Shows a state now. */
    void show(Output output, DisplayData data) {
        data.setDisplayId(id);
        updated = System.nanoTime();
        if (shown) {
            output.update(data);
        } else {
            shown = true;
            output.display(data);
        }
    }

    /** Takes the line away, where it was shown. */
    void remove(Output output) {
        if (shown) {
            show(output, new DisplayData());
        }
    }

    /** A bar with words. Text front ends show the first state only: {@code text} says nothing that is soon untrue. */
    static DisplayData bar(long percent, String words, String text) {
        DisplayData data = new DisplayData(text);
        data.putHTML("<progress value=\"" + percent + "\" max=\"100\"></progress> " + Escape.html(words));
        return data;
    }
}
