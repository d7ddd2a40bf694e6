package org.espalier.kernel.display;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.espalier.placement.Placement;
import org.espalier.placement.Placement.Shard;
import org.espalier.plan.ModelSize;

/**
 * Who holds which layers: one bar a node over the model's layers, with the bytes of each shard.
 */
public final class PlacementPicture implements Displayed {

    /** Pixels of all layers together. */
    private static final int WIDTH = 560;

    /** Distinct in hue and lightness; repeated from the ninth node on. */
    private static final String[] COLOURS = {
        "#1f64a0", "#d97b29", "#3a8f5c", "#a8434a", "#7a5ea8", "#8a6a4f", "#c46ba4", "#5d6b78"
    };

    private final Placement placement;
    private final ModelSize size;

    public PlacementPicture(Placement placement, ModelSize size) {
        this.placement = placement;
        this.size = size;
    }

    public String text() {
        return placement.strategy() + ", " + placement.layers() + " layers\n" + grid().text();
    }

    private Grid grid() {
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < placement.shards().size(); i++) {
            Shard shard = placement.shards().get(i);
            rows.add(List.of(
                    shard.node(),
                    shard.firstLayer() + " to " + (shard.endLayer() - 1),
                    "" + shard.layers(),
                    Bytes.text(size.shard(shard.firstLayer(), shard.endLayer()).weightBytes()),
                    role(i)));
        }
        return new Grid(List.of("node", "layers", "count", "weights", "also holds"), rows);
    }

    private String role(int index) {
        List<String> roles = new ArrayList<>();
        if (index == 0) {
            roles.add("embedding");
        }
        if (index == placement.shards().size() - 1) {
            roles.add("output and sampler");
        }
        return String.join(", ", roles);
    }

    /** The table with the picture above it: as an image, since JupyterLab takes inline SVG out of HTML. */
    public String html() {
        String image = Base64.getEncoder().encodeToString(svg().getBytes(StandardCharsets.UTF_8));
        return "<img alt=\"layers by node\" src=\"data:image/svg+xml;base64," + image + "\"/>" + grid().html();
    }

    /** The bars alone. */
    public String svg() {
        int rowHeight = 26;
        int left = 12
                + 8 * placement.nodes().stream().mapToInt(String::length).max().orElse(4);
        int height = rowHeight * placement.shards().size() + 24;
        StringBuilder svg = new StringBuilder(String.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">"
                        + "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>",
                left + WIDTH + 16, height));
        for (int i = 0; i < placement.shards().size(); i++) {
            Shard shard = placement.shards().get(i);
            int y = i * rowHeight + 4;
            int x = left + WIDTH * shard.firstLayer() / placement.layers();
            int width = Math.max(2, WIDTH * shard.layers() / placement.layers() - 1);
            svg.append(
                    String.format("<text x=\"6\" y=\"%d\" fill=\"#222\">%s</text>", y + 15, Escape.html(shard.node())));
            svg.append(String.format(
                    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"20\" fill=\"#eceff3\"/>", left, y, WIDTH));
            svg.append(String.format(
                    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"20\" fill=\"%s\"><title>layers %d to %d</title></rect>",
                    x, y, width, COLOURS[i % COLOURS.length], shard.firstLayer(), shard.endLayer() - 1));
        }
        int axis = height - 6;
        svg.append(String.format("<text x=\"%d\" y=\"%d\" fill=\"#555\">layer 0</text>", left, axis));
        svg.append(String.format(
                "<text x=\"%d\" y=\"%d\" fill=\"#555\" text-anchor=\"end\">%d</text>",
                left + WIDTH, axis, placement.layers() - 1));
        return svg.append("</svg>").toString();
    }

    @Override
    public DisplayData display() {
        return Bundles.html(text(), html());
    }
}
