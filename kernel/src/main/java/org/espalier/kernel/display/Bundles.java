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

    /** One small grey line. */
    public static DisplayData note(String text) {
        return html(text, "<span style=\"color:#777;font-size:smaller\">" + Escape.html(text) + "</span>");
    }
}
