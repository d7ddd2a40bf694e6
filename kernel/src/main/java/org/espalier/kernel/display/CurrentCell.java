package org.espalier.kernel.display;

import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.espalier.EspalierException;

/** Where {@link Display} shows things: the cell that runs, or that ran last. A process has one notebook, so this is static. */
public final class CurrentCell {

    private static final Values VALUES = new Values();

    private static volatile Output output;

    private CurrentCell() {}

    /** From now on things are shown here. */
    public static void begin(Output next) {
        output = next;
    }

    static Output output() {
        Output now = output;
        if (now == null) {
            throw new EspalierException("there is no cell to show anything in: display works in a notebook only");
        }
        return now;
    }

    static DisplayData render(Object value) {
        return VALUES.render(value);
    }
}
