package org.espalier.kernel.display;

import com.google.gson.JsonParser;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** A picture of numbers. A new one is a class beside this and, for cells to name it without its package, a line in the session's imports. */
public interface Chart extends Displayed {

    /** JupyterLab renders this without a network; newer Vega-Lite versions it does not. */
    String VEGA_LITE = "application/vnd.vegalite.v5+json";

    /** For a terminal. */
    String text();

    /** What a saved notebook shows. */
    String svg();

    /** What JupyterLab draws, as JSON. */
    String vegaLite();

    @Override
    default DisplayData display() {
        DisplayData data = new DisplayData(text());
        data.putSVG(svg());
        data.putData(VEGA_LITE, JsonParser.parseString(vegaLite()));
        return data;
    }
}
