package org.espalier.kernel.display;

import java.util.ArrayList;
import java.util.List;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.espalier.placement.Placement;
import org.espalier.placement.Placement.Shard;
import org.espalier.plan.ShardSize;

/**
 * Who holds which layers: one bar a node over the model's layers, with the bytes of each shard.
 */
public final class PlacementPicture implements Displayed {

    /** Pixels of all layers together. */
    private static final int WIDTH = 480;

    /** Distinct in hue; each 3:1 or more on white and on a dark theme's grey 900. Repeated from the ninth node on. */
    static final String[] COLOURS = {
        "#2f78b7", "#c96f1f", "#3a8f5c", "#c0504d", "#8a6fc0", "#96744f", "#c05c9c", "#6d7f90"
    };

    private final Placement placement;
    private final List<ShardSize> sizes;

    /** @param sizes of the placement's shards, in their order */
    public PlacementPicture(Placement placement, List<ShardSize> sizes) {
        this.placement = placement;
        this.sizes = List.copyOf(sizes);
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
                    shared() ? shard.shares().toString() : "" + shard.layers(),
                    Bytes.text(sizes.get(i).weightBytes()),
                    role(i)));
        }
        return new Grid(List.of("node", "layers", shared() ? "of each" : "count", "weights", "also holds"), rows);
    }

    /** Whether nodes share layers. */
    private boolean shared() {
        return !placement.shards().stream().allMatch(shard -> shard.shares().isAll());
    }

    private String role(int index) {
        List<String> roles = new ArrayList<>();
        if (placement.embeds(index)) {
            roles.add("embedding");
        }
        if (placement.hasOutput(index)) {
            roles.add(placement.samples(index) ? "output and sampler" : "output");
        }
        return String.join(", ", roles);
    }

    /** The bars above the table. All text has the viewer's own colour, and boxes are HTML, since JupyterLab takes inline SVG out of it. */
    public String html() {
        StringBuilder html = new StringBuilder("<table><tbody>");
        for (int i = 0; i < placement.shards().size(); i++) {
            html.append("<tr><td style=\"text-align:left\">")
                    .append(Escape.html(placement.shards().get(i).node()))
                    .append("</td><td>")
                    .append(bar(placement.shards().get(i), COLOURS[i % COLOURS.length]))
                    .append("</td></tr>");
        }
        return html.append("</tbody></table>").append(grid().html()).toString();
    }

    private String bar(Shard shard, String colour) {
        int left = WIDTH * shard.firstLayer() / placement.layers();
        int right = WIDTH * shard.endLayer() / placement.layers();
        return String.format(
                "<div style=\"width:%dpx;border:1px solid #888888\"><div title=\"layers %d to %d\""
                        + " style=\"margin-left:%dpx;width:%dpx;height:14px;background-color:%s\"></div></div>",
                WIDTH, shard.firstLayer(), shard.endLayer() - 1, left, Math.max(2, right - left), colour);
    }

    @Override
    public DisplayData display() {
        return Bundles.html(text(), html());
    }
}
