package org.espalier.kernel.display;

import com.google.gson.JsonParser;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** A picture of numbers. A new one is a class beside this and, for cells to name it without its package, public. */
public interface Chart extends Displayed {

    /** JupyterLab renders this without a network; newer Vega-Lite versions it does not. */
    String VEGA_LITE = "application/vnd.vegalite.v5+json";

    /** For a terminal. */
    String text();

    /** What everything but JupyterLab shows: saved notebooks as SVG, others as PNG, LaTeX as PDF. */
    Drawing drawing();

    /** What JupyterLab draws, as JSON. */
    String vegaLite();

    /** The drawing as a standalone SVG document. */
    default String svg() {
        return DrawingSvg.of(drawing());
    }

    @Override
    default DisplayData display() {
        DisplayData data = Bundles.picture(text(), drawing());
        data.putData(VEGA_LITE, JsonParser.parseString(vegaLite()));
        return data;
    }
}
