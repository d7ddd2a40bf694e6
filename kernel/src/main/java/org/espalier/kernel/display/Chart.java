package org.espalier.kernel.display;

import com.google.gson.JsonParser;
import java.util.Base64;
import java.util.Map;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;

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
        Drawing drawing = drawing();
        DisplayData data = new DisplayData(text());
        data.putSVG(DrawingSvg.of(drawing));
        Fonts.where(() -> DrawingPng.of(drawing)).ifPresent(png -> {
            data.putData(MIMEType.IMAGE_PNG, base64(png));
            // It has more pixels than it is wide.
            data.putMetaData(
                    "image/png", Map.of("width", drawing.width(), "height", drawing.height(), "alt", drawing.title()));
        });
        data.putData("application/pdf", base64(DrawingPdf.of(drawing)));
        data.putData(VEGA_LITE, JsonParser.parseString(vegaLite()));
        return data;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
