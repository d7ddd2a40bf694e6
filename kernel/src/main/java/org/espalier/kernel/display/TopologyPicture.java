package org.espalier.kernel.display;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.espalier.cluster.Link;
import org.espalier.cluster.NodeInfo;
import org.espalier.placement.Placement;
import org.espalier.placement.Placement.Shard;

/**
 * Nodes in the order of a ring, with its way around them, and beside it what each measured to each other one: the node of the row sends to that of
 * the column.
 */
public final class TopologyPicture implements Displayed {

    private static final int TOP = 38;
    private static final int COLUMN_HEADINGS = 26;
    private static final int LEFT = 44;
    private static final int NODE_WIDTH = 236;
    private static final int NODE_HEIGHT = 52;
    private static final int ROW = 76;
    private static final int MATRIX = LEFT + NODE_WIDTH + 28;
    private static final int CELL_WIDTH = 88;
    private static final int CELL_HEIGHT = 40;
    private static final int LETTER = 6; // pixels, about, at the labels' size

    /** Wider pictures nobody reads; the text has all. */
    private static final int MOST_COLUMNS = 16;

    private static final int LINE = 0x555555;
    private static final int NODE = 0xf3f6fb;
    private static final int OUTSIDE = 0x888888;
    private static final int MEASURED = 0xdfe9f5;
    private static final int SKIPPED = 0xe8e8e8;
    private static final int UNREACHABLE = 0xf6cfc8;
    private static final int OF_THE_RING = 0x1f64a0;

    private final List<NodeInfo> nodes;
    private final Map<String, Shard> shards = new HashMap<>();
    private final Map<List<String>, Link> links = new HashMap<>();
    private final List<String> ring;
    private final String title;

    /**
     * @param model what the ring is for
     * @param placement of it; empty where no model is loaded
     */
    public TopologyPicture(List<NodeInfo> nodes, List<Link> links, String model, Optional<Placement> placement) {
        List<String> names = nodes.stream().map(NodeInfo::name).toList();
        this.ring = placement.map(Placement::nodes).orElse(List.of()).stream()
                .filter(names::contains)
                .toList();
        this.nodes = new ArrayList<>();
        ring.forEach(name -> this.nodes.add(nodes.get(names.indexOf(name))));
        nodes.stream().filter(node -> !ring.contains(node.name())).forEach(this.nodes::add);
        placement.ifPresent(there -> there.shards().forEach(shard -> shards.put(shard.node(), shard)));
        links.forEach(link -> this.links.put(List.of(link.from(), link.to()), link));
        this.title = (nodes.size() == 1 ? "1 node" : nodes.size() + " nodes")
                + (ring.size() > 1 ? ", the ring of " + model : ring.isEmpty() ? ", no model loaded" : ", " + model);
    }

    /** The ring, then each way between two nodes. */
    public String text() {
        StringBuilder text = new StringBuilder(title).append('\n');
        for (NodeInfo node : nodes) {
            text.append(node.name())
                    .append("  ")
                    .append(address(node))
                    .append("  ")
                    .append(state(node))
                    .append('\n');
        }
        if (ring.size() > 1) {
            text.append("ring: ")
                    .append(String.join(" > ", ring))
                    .append(" > ")
                    .append(ring.get(0))
                    .append('\n');
        }
        List<Link> known = nodes.stream()
                .flatMap(from -> nodes.stream().map(to -> link(from, to)))
                .flatMap(Optional::stream)
                .toList();
        return known.isEmpty()
                ? text.toString().stripTrailing()
                : text.append(LinkTable.of(known).text()).toString();
    }

    private static String address(NodeInfo node) {
        return node.address().contains("://") ? node.address() : "plain://" + node.address();
    }

    private String state(NodeInfo node) {
        if (!node.reachable()) {
            return node.problem();
        }
        Shard shard = shards.get(node.name());
        String free = Bytes.text(node.freeMemoryBytes()) + " free";
        return shard == null ? free : "layers " + shard.firstLayer() + " to " + (shard.endLayer() - 1) + ", " + free;
    }

    private Optional<Link> link(NodeInfo from, NodeInfo to) {
        return Optional.ofNullable(links.get(List.of(from.name(), to.name())));
    }

    public Drawing drawing() {
        List<Drawing.Mark> marks = new ArrayList<>();
        marks.add(new Drawing.Label(LEFT, 22, Drawing.Anchor.START, Drawing.Style.HEADING, title));
        boolean matrix = hasMatrix();
        if (matrix) {
            matrix(marks);
        }
        for (int row = 0; row < nodes.size(); row++) {
            node(marks, row);
        }
        if (ring.size() > 1) {
            way(marks);
        }
        int bottom = top(nodes.size() - 1) + NODE_HEIGHT + 16;
        String below = below(matrix);
        if (!below.isEmpty()) {
            bottom += 24;
            marks.add(label(LEFT, bottom - 12, Drawing.Anchor.START, below));
        }
        int width = matrix ? MATRIX + nodes.size() * CELL_WIDTH + 16 : LEFT + NODE_WIDTH + 24;
        int needed = LEFT + Math.max(LETTER * below.length(), 8 * title.length()) + 16;
        return new Drawing(title, Math.max(width, needed), bottom, marks);
    }

    private String below(boolean matrix) {
        if (matrix) {
            return "Round trip and throughput from the node of the row to that of the column"
                    + (ring.size() > 1 ? "; dark frames: the ring's way." : ".");
        }
        return links.isEmpty()
                ? nodes.size() == 1 ? "" : "Plain text on one machine: there is no way to measure."
                : "The ways between " + nodes.size() + " nodes are in the text form.";
    }

    private boolean hasMatrix() {
        return !links.isEmpty() && nodes.size() <= MOST_COLUMNS;
    }

    private int top(int row) {
        return TOP + (hasMatrix() ? COLUMN_HEADINGS : 0) + row * ROW;
    }

    private void node(List<Drawing.Mark> marks, int row) {
        NodeInfo node = nodes.get(row);
        int y = top(row);
        int at = ring.indexOf(node.name());
        int colour = at < 0
                ? OUTSIDE
                : Integer.parseInt(PlacementPicture.COLOURS[at % PlacementPicture.COLOURS.length].substring(1), 16);
        marks.add(new Drawing.Box(LEFT, y, NODE_WIDTH, NODE_HEIGHT, colour, ""));
        int fill = node.reachable() ? NODE : UNREACHABLE;
        String tip = node.name() + ", " + address(node) + ", " + state(node);
        marks.add(new Drawing.Box(LEFT + 7, y + 1, NODE_WIDTH - 8, NODE_HEIGHT - 2, fill, tip));
        int x = LEFT + 16;
        marks.add(new Drawing.Label(x, y + 17, Drawing.Anchor.START, Drawing.Style.HEADING, cut(node.name(), 24)));
        marks.add(label(x, y + 32, Drawing.Anchor.START, cut(address(node), 34)));
        marks.add(label(x, y + 46, Drawing.Anchor.START, cut(state(node), 34)));
    }

    /** Down from node to node, and back from the last to the first on the left. */
    private void way(List<Drawing.Mark> marks) {
        int middle = LEFT + NODE_WIDTH / 2;
        for (int row = 0; row + 1 < ring.size(); row++) {
            int from = top(row) + NODE_HEIGHT;
            int to = top(row + 1);
            marks.add(new Drawing.Box(middle - 1, from, 2, to - from - 6, LINE, ""));
            for (int i = 0; i < 7; i++) { // an arrow's head
                marks.add(new Drawing.Box(middle - 7 + i, to - 8 + i, 14 - 2 * i, 1, LINE, ""));
            }
            hop(row, row + 1).ifPresent(text -> marks.add(label(middle + 14, from + 16, Drawing.Anchor.START, text)));
        }
        int left = LEFT - 22;
        int first = top(0) + NODE_HEIGHT / 2;
        int last = top(ring.size() - 1) + NODE_HEIGHT / 2;
        marks.add(new Drawing.Box(left, last - 1, LEFT - left, 2, LINE, ""));
        marks.add(new Drawing.Box(left, first - 1, 2, last - first + 2, LINE, ""));
        marks.add(new Drawing.Box(left, first - 1, LEFT - left - 6, 2, LINE, ""));
        for (int i = 0; i < 7; i++) {
            marks.add(new Drawing.Box(LEFT - 8 + i, first - 7 + i, 1, 14 - 2 * i, LINE, ""));
        }
    }

    private Optional<String> hop(int from, int to) {
        return link(nodes.get(from), nodes.get(to)).map(link -> switch (link.state()) {
            case MEASURED -> link.roundTrip() + ", " + link.throughput();
            case SKIPPED -> "not measured";
            case UNREACHABLE -> "cannot dial";
        });
    }

    private void matrix(List<Drawing.Mark> marks) {
        for (int column = 0; column < nodes.size(); column++) {
            int x = MATRIX + column * CELL_WIDTH;
            String to = "to " + cut(nodes.get(column).name(), 10);
            marks.add(label(x + CELL_WIDTH / 2, top(0) - 10, Drawing.Anchor.MIDDLE, to));
            for (int row = 0; row < nodes.size(); row++) {
                int y = top(row) + (NODE_HEIGHT - CELL_HEIGHT) / 2;
                boolean hop = ring.size() > 1 && row < ring.size() && column == (row + 1) % ring.size();
                Optional<Link> link = link(nodes.get(row), nodes.get(column));
                if (link.isPresent()) {
                    cell(marks, link.get(), x, y, hop);
                }
            }
        }
    }

    private static void cell(List<Drawing.Mark> marks, Link link, int x, int y, boolean hop) {
        if (hop) {
            marks.add(new Drawing.Box(x + 1, y - 2, CELL_WIDTH - 2, CELL_HEIGHT + 4, OF_THE_RING, ""));
        }
        int fill = switch (link.state()) {
            case MEASURED -> MEASURED;
            case SKIPPED -> SKIPPED;
            case UNREACHABLE -> UNREACHABLE;
        };
        marks.add(new Drawing.Box(x + 3, y, CELL_WIDTH - 6, CELL_HEIGHT, fill, link.toString()));
        int middle = x + CELL_WIDTH / 2;
        if (link.isMeasured()) {
            marks.add(label(middle, y + 17, Drawing.Anchor.MIDDLE, link.roundTrip()));
            marks.add(label(middle, y + 32, Drawing.Anchor.MIDDLE, link.throughput()));
        } else {
            String why = link.state() == Link.State.SKIPPED ? "not measured" : "cannot dial";
            marks.add(label(middle, y + 24, Drawing.Anchor.MIDDLE, why));
        }
    }

    private static Drawing.Label label(int x, int y, Drawing.Anchor anchor, String text) {
        return new Drawing.Label(x, y, anchor, Drawing.Style.PLAIN, text);
    }

    private static String cut(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most - 1) + "…";
    }

    @Override
    public DisplayData display() {
        return Bundles.picture(text(), drawing());
    }
}
