package org.espalier.kernel.display;

import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** What a notebook shows of itself when it is the value of a cell. */
public interface Displayed {

    /** The richest forms that there are, and text. */
    DisplayData display();
}
