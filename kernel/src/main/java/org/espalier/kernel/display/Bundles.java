package org.espalier.kernel.display;

import java.util.Base64;
import java.util.Map;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;

/** Text with a richer form beside it. */
public final class Bundles {

    private Bundles() {}

    static DisplayData html(String text, String html) {
        DisplayData data = new DisplayData(text);
        data.putHTML(html);
        return data;
    }

    /** A drawing in all forms that viewers know. */
    static DisplayData picture(String text, Drawing drawing) {
        DisplayData data = new DisplayData(text);
        data.putSVG(DrawingSvg.of(drawing));
        Fonts.where(() -> DrawingPng.of(drawing)).ifPresent(png -> {
            data.putData(MIMEType.IMAGE_PNG, base64(png));
            // It has more pixels than it is wide.
            data.putMetaData(
                    "image/png", Map.of("width", drawing.width(), "height", drawing.height(), "alt", drawing.title()));
        });
        data.putData("application/pdf", base64(DrawingPdf.of(drawing)));
        return data;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    /** One small line, fainter than other text but 4.5:1 or more in any theme where that has 7:1. */
    public static DisplayData note(String text) {
        return html(text, noteHtml(text));
    }

    static String noteHtml(String text) {
        return "<span style=\"opacity:0.75;font-size:smaller\">" + Escape.html(text) + "</span>";
    }
}
