package org.espalier.kernel.display;

import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** Text with a richer form beside it. */
public final class Bundles {

    private Bundles() {}

    static DisplayData html(String text, String html) {
        DisplayData data = new DisplayData(text);
        data.putHTML(html);
        return data;
    }

    /** One small line, fainter than other text but 4.5:1 or more in any theme where that has 7:1. */
    public static DisplayData note(String text) {
        return html(text, noteHtml(text));
    }

    static String noteHtml(String text) {
        return "<span style=\"opacity:0.75;font-size:smaller\">" + Escape.html(text) + "</span>";
    }
}
