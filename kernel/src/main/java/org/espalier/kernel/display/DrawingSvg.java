package org.espalier.kernel.display;

import java.util.Locale;

/** A drawing as a standalone SVG document. */
final class DrawingSvg {

    private DrawingSvg() {}

    static String of(Drawing drawing) {
        StringBuilder svg = new StringBuilder(64 * drawing.marks().size() + 1024);
        svg.append(String.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%1$d\" height=\"%2$d\" viewBox=\"0 0 %1$d %2$d\""
                        + " role=\"img\" aria-label=\"%3$s\" shape-rendering=\"crispEdges\""
                        + " font-family=\"sans-serif\" fill=\"%4$s\">",
                drawing.width(), drawing.height(), Escape.html(drawing.title()), Drawing.hex(Drawing.INK)));
        svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        for (Drawing.Mark mark : drawing.marks()) {
            if (mark instanceof Drawing.Box box) {
                box(svg, box);
            } else if (mark instanceof Drawing.Label label) {
                label(svg, label);
            }
        }
        return svg.append("</svg>").toString();
    }

    private static void box(StringBuilder svg, Drawing.Box box) {
        svg.append(String.format(
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"",
                box.x(), box.y(), box.width(), box.height(), Drawing.hex(box.rgb())));
        svg.append(box.tip().isEmpty() ? "/>" : "><title>" + Escape.html(box.tip()) + "</title></rect>");
    }

    private static void label(StringBuilder svg, Drawing.Label label) {
        svg.append(String.format(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" font-size=\"%d\"%s>%s</text>",
                label.x(),
                label.y(),
                label.anchor().name().toLowerCase(Locale.ROOT),
                label.style().size,
                label.style().bold() ? " font-weight=\"bold\"" : "",
                Escape.html(label.text())));
    }
}
