package org.espalier.kernel.display;

import com.google.gson.JsonParser;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** What this package draws as the bundles that Jupyter shows: for each the richest form, and text. */
public final class Bundles {

    /** JupyterLab renders this without a network; newer Vega-Lite versions it does not. */
    private static final String VEGA_LITE = "application/vnd.vegalite.v5+json";

    private Bundles() {}

    public static DisplayData of(Grid grid) {
        DisplayData data = new DisplayData(grid.text());
        data.putHTML(grid.html());
        return data;
    }

    public static DisplayData of(PlacementPicture picture) {
        DisplayData data = new DisplayData(picture.text());
        data.putHTML(picture.html());
        return data;
    }

    public static DisplayData of(ExpertHeatmap experts) {
        return chart(experts.heatmap(), experts.text());
    }

    public static DisplayData of(Heatmap heatmap) {
        return chart(heatmap, heatmap.text());
    }

    private static DisplayData chart(Heatmap heatmap, String text) {
        DisplayData data = new DisplayData(text);
        data.putSVG(heatmap.svg());
        data.putData(VEGA_LITE, JsonParser.parseString(heatmap.vegaLite()));
        return data;
    }

    /** One small grey line. */
    public static DisplayData note(String text) {
        DisplayData data = new DisplayData(text);
        data.putHTML("<span style=\"color:#777;font-size:smaller\">" + Html.escape(text) + "</span>");
        return data;
    }
}
