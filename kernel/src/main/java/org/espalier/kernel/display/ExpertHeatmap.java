package org.espalier.kernel.display;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.stream.IntStream;
import org.espalier.routing.ExpertLoad;

/**
 * Layer x expert heatmap of a trace: how far each expert was chosen more or less often than an even spread would have it.
 *
 * <p>One bundle of three forms: Vega-Lite v5 for JupyterLab, which has its renderer built in; the same picture as SVG for whatever shows
 * saved notebooks; text for the rest.
 */
public final class ExpertHeatmap {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Light to dark, one hue, readable in grey and by colour-blind people. */
    private static final int[] RAMP = {0xf3f6fb, 0xc9daf0, 0x8fb8de, 0x4a90c4, 0x1f64a0, 0x0b3567};

    private static final int LEFT = 64;
    private static final int TOP = 44;
    private static final int RIGHT = 96;
    private static final int BOTTOM = 44;

    private final ExpertLoad load;
    private final String title;

    /** @param title says what ran */
    public ExpertHeatmap(ExpertLoad load, String title) {
        this.load = load;
        this.title = title;
    }

    /** The chart as a Vega-Lite v5 specification. */
    public String vegaLite() {
        ObjectNode spec = JSON.createObjectNode();
        spec.put("$schema", "https://vega.github.io/schema/vega-lite/v5.json");
        spec.put("title", title);
        spec.put("background", "white");
        spec.put("width", columnWidth() * load.experts());
        spec.put("height", rowHeight() * load.layers().size());
        ArrayNode values = spec.putObject("data").putArray("values");
        for (int layer = 0; layer < load.layers().size(); layer++) {
            for (int expert = 0; expert < load.experts(); expert++) {
                values.addObject()
                        .put("layer", load.layers().get(layer))
                        .put("expert", expert)
                        .put("times", load.counts()[layer][expert])
                        .put("share", round(load.share(layer, expert)));
            }
        }
        spec.putObject("mark").put("type", "rect").put("tooltip", true);
        ObjectNode encoding = spec.putObject("encoding");
        ObjectNode x = encoding.putObject("x");
        x.put("field", "expert").put("type", "ordinal").put("title", "expert");
        x.putObject("axis").put("labelOverlap", true).put("labelAngle", 0);
        encoding.putObject("y").put("field", "layer").put("type", "ordinal").put("title", "layer");
        ObjectNode colour = encoding.putObject("color");
        colour.put("field", "share").put("type", "quantitative").put("title", "share of layer");
        ArrayNode range = colour.putObject("scale").put("zero", true).putArray("range");
        for (int step : RAMP) {
            range.add(hex(step));
        }
        colour.putObject("legend").put("format", ".0%");
        return spec.toString();
    }

    /** The chart as a standalone SVG document. */
    public String svg() {
        int width = LEFT + columnWidth() * load.experts() + RIGHT;
        int height = TOP + rowHeight() * load.layers().size() + BOTTOM;
        double most = greatestShare();
        StringBuilder svg =
                new StringBuilder(64 * load.experts() * load.layers().size() + 2048);
        svg.append(String.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\">",
                width, height, width, height));
        svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        text(svg, LEFT, 20, "start", "font-size=\"13\" font-weight=\"bold\"", title);
        cells(svg, most);
        axes(svg);
        legend(svg, most);
        return svg.append("</svg>").toString();
    }

    /** The busiest experts of each layer, one line a layer. */
    public String text() {
        StringBuilder text = new StringBuilder(title).append('\n');
        for (int layer = 0; layer < load.layers().size(); layer++) {
            text.append(String.format(Locale.ROOT, "layer %3d ", load.layers().get(layer)));
            int[] best = busiest(layer);
            for (int expert : best) {
                text.append(String.format(Locale.ROOT, "  %d: %.0f%%", expert, 100 * load.share(layer, expert)));
            }
            text.append(String.format(Locale.ROOT, "  (%d never chosen)%n", load.idle(layer)));
        }
        return text.toString();
    }

    private int[] busiest(int layer) {
        return IntStream.range(0, load.experts())
                .boxed()
                .sorted((a, b) -> load.counts()[layer][b] - load.counts()[layer][a])
                .limit(5)
                .filter(expert -> load.counts()[layer][expert] > 0)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private void cells(StringBuilder svg, double most) {
        svg.append("<g shape-rendering=\"crispEdges\">");
        svg.append(String.format(
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>",
                LEFT,
                TOP,
                columnWidth() * load.experts(),
                rowHeight() * load.layers().size(),
                hex(RAMP[0])));
        for (int layer = 0; layer < load.layers().size(); layer++) {
            for (int expert = 0; expert < load.experts(); expert++) {
                double share = load.share(layer, expert);
                if (share > 0) {
                    svg.append(String.format(
                            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>%s</title></rect>",
                            LEFT + expert * columnWidth(),
                            TOP + layer * rowHeight(),
                            columnWidth(),
                            rowHeight(),
                            colour(share / most),
                            cellTitle(layer, expert, share)));
                }
            }
        }
        svg.append("</g>");
    }

    private String cellTitle(int layer, int expert, double share) {
        return String.format(
                Locale.ROOT,
                "layer %d, expert %d: %d times, %.1f%%",
                load.layers().get(layer),
                expert,
                load.counts()[layer][expert],
                100 * share);
    }

    private void axes(StringBuilder svg) {
        int every = Math.max(1, (int) Math.ceil(24.0 / columnWidth())); // a label needs about 24 pixels
        int bottom = TOP + rowHeight() * load.layers().size();
        for (int expert = 0; expert < load.experts(); expert += every) {
            text(svg, LEFT + expert * columnWidth() + columnWidth() / 2, bottom + 14, "middle", "", "" + expert);
        }
        text(svg, LEFT + columnWidth() * load.experts() / 2, bottom + 32, "middle", "", "expert");
        int rows = Math.max(1, (int) Math.ceil(12.0 / rowHeight()));
        for (int layer = 0; layer < load.layers().size(); layer += rows) {
            text(
                    svg,
                    LEFT - 6,
                    TOP + layer * rowHeight() + rowHeight() / 2 + 4,
                    "end",
                    "",
                    "" + load.layers().get(layer));
        }
        text(svg, LEFT - 6, TOP - 6, "end", "", "layer");
    }

    private void legend(StringBuilder svg, double most) {
        int x = LEFT + columnWidth() * load.experts() + 16;
        text(svg, x, TOP - 6, "start", "", "share of layer");
        int steps = 5;
        for (int step = 0; step <= steps; step++) {
            double part = 1.0 - (double) step / steps;
            svg.append(String.format(
                    "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"14\" fill=\"%s\"/>",
                    x, TOP + step * 14, colour(part)));
            text(
                    svg,
                    x + 20,
                    TOP + step * 14 + 11,
                    "start",
                    "",
                    String.format(Locale.ROOT, "%.0f%%", 100 * part * most));
        }
    }

    private static void text(StringBuilder svg, int x, int y, String anchor, String style, String content) {
        svg.append(String.format(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" %s>%s</text>", x, y, anchor, style, Html.escape(content)));
    }

    private double greatestShare() {
        double most = 0;
        for (int layer = 0; layer < load.layers().size(); layer++) {
            for (int expert = 0; expert < load.experts(); expert++) {
                most = Math.max(most, load.share(layer, expert));
            }
        }
        return most == 0 ? 1 : most;
    }

    /** Wide cells for few experts, narrow ones for hundreds: at most about 900 pixels. */
    private int columnWidth() {
        return Math.max(3, Math.min(28, 900 / Math.max(1, load.experts())));
    }

    private int rowHeight() {
        return Math.max(8, Math.min(24, 600 / Math.max(1, load.layers().size())));
    }

    /** Linear between the ramp's steps. */
    private static String colour(double part) {
        double at = Math.max(0, Math.min(1, part)) * (RAMP.length - 1);
        int low = Math.min((int) at, RAMP.length - 2);
        double rest = at - low;
        int mixed = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int a = RAMP[low] >> shift & 0xff;
            int b = RAMP[low + 1] >> shift & 0xff;
            mixed |= (int) Math.round(a + (b - a) * rest) << shift;
        }
        return hex(mixed);
    }

    private static String hex(int rgb) {
        return String.format("#%06x", rgb);
    }

    private static double round(double share) {
        return Math.round(share * 1e5) / 1e5;
    }
}
