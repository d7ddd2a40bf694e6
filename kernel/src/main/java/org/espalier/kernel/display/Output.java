package org.espalier.kernel.display;

import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** Where a cell shows things. */
public interface Output {

    /** Adds text as it comes, without a line break of its own. */
    void print(String text);

    /** Shows a display. */
    void display(DisplayData data);

    /** Replaces what was shown under the same display id. */
    void update(DisplayData data);

    /** Takes away all that was shown. */
    void clear();
}
