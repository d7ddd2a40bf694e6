package org.espalier.kernel.display;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.espalier.EspalierException;
import tech.tablesaw.api.NumericColumn;
import tech.tablesaw.api.Table;

/**
 * Numbers of two labels each, as a picture: light is nothing, dark the greatest.
 *
 * <p>One bundle: Vega-Lite v5 for JupyterLab, which has its renderer built in; a drawing for whatever shows saved notebooks; text for the rest.
 *
 * @param values [row][column], none negative; NaN where there is none
 */
public record Heatmap(String title, Axis rows, Axis columns, Measure measure, double[][] values) implements Chart {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Light to dark, one hue, readable in grey and by colour-blind people. */
    private static final int[] RAMP = {0xf3f6fb, 0xc9daf0, 0x8fb8de, 0x4a90c4, 0x1f64a0, 0x0b3567};

    private static final int TOP = 44;
    private static final int RIGHT = 96;
    private static final int BOTTOM = 44;
    private static final int LETTER = 7; // pixels, about, at the labels' size

    /** One side of the picture. */
    public record Axis(String title, List<String> labels) {
        public Axis {
            labels = List.copyOf(labels);
        }

        private int longest() {
            return labels.stream().mapToInt(String::length).max().orElse(0);
        }
    }

    /** What a cell's colour says. */
    public record Measure(String title, Unit unit) {}

    /** How values are written. */
    public enum Unit {
        /** Of 1, in percent. */
        SHARE(100, "%.1f%%", ".0%"),
        NUMBER(1, "%.3g", ".3~g");

        private final double factor;
        private final String java;
        private final String vega;

        Unit(double factor, String java, String vega) {
            this.factor = factor;
            this.java = java;
            this.vega = vega;
        }

        String write(double value) {
            return String.format(Locale.ROOT, java, factor * value);
        }
    }

    public Heatmap {
        boolean fits = values.length == rows.labels().size()
                && Arrays.stream(values)
                        .allMatch(row -> row.length == columns.labels().size());
        if (!fits) {
            throw new IllegalArgumentException("the values do not have "
                    + rows.labels().size() + " rows of " + columns.labels().size());
        }
    }

    /**
     * A table's numbers by two of its columns: numbers ascend, everything else is in the order in which it first appears. A pair without a
     * row stays empty.
     *
     * @throws EspalierException if a pair has two rows, or a column is missing or without numbers
     */
    public static Heatmap of(Table table, String row, String column, String value) {
        for (String name : List.of(row, column, value)) {
            if (!table.containsColumn(name)) {
                throw new EspalierException(
                        "the table has no column '" + name + "': it has " + String.join(", ", table.columnNames()));
            }
        }
        if (!(table.column(value) instanceof NumericColumn<?> numbers)) {
            throw new EspalierException("column '" + value + "' is not numeric: choose another for the colour");
        }
        List<String> rowLabels = labels(table, row);
        List<String> columnLabels = labels(table, column);
        double[][] values = new double[rowLabels.size()][columnLabels.size()];
        Arrays.stream(values).forEach(cells -> Arrays.fill(cells, Double.NaN));
        for (int i = 0; i < table.rowCount(); i++) {
            String r = table.column(row).getString(i);
            String c = table.column(column).getString(i);
            double[] cells = values[rowLabels.indexOf(r)];
            int at = columnLabels.indexOf(c);
            if (!Double.isNaN(cells[at])) {
                throw new EspalierException("two rows have " + row + " " + r + " and " + column + " " + c
                        + ": summarize the table by these two columns first");
            }
            cells[at] = numbers.getDouble(i);
        }
        return new Heatmap(
                table.name(),
                new Axis(row, rowLabels),
                new Axis(column, columnLabels),
                new Measure(value, Unit.NUMBER),
                values);
    }

    private static List<String> labels(Table table, String column) {
        IntStream rows = IntStream.range(0, table.rowCount());
        if (table.column(column) instanceof NumericColumn<?> numbers) {
            rows = rows.boxed()
                    .sorted(Comparator.comparingDouble(numbers::getDouble))
                    .mapToInt(row -> row);
        }
        return rows.mapToObj(table.column(column)::getString).distinct().toList();
    }

    /** The same with its values, shares of 1, written in percent. */
    public Heatmap inPercent() {
        return new Heatmap(title, rows, columns, new Measure(measure.title, Unit.SHARE), values);
    }

    public Heatmap withTitle(String text) {
        return new Heatmap(text, rows, columns, measure, values);
    }

    /** The chart as a Vega-Lite v5 specification. */
    @Override
    public String vegaLite() {
        ObjectNode spec = JSON.createObjectNode();
        spec.put("$schema", "https://vega.github.io/schema/vega-lite/v5.json");
        spec.put("title", title);
        spec.put("description", title);
        colours(spec);
        spec.put("width", columnWidth() * columns.labels.size());
        spec.put("height", rowHeight() * rows.labels.size());
        ArrayNode cells = spec.putObject("data").putArray("values");
        for (int row = 0; row < values.length; row++) {
            for (int column = 0; column < values[row].length; column++) {
                if (!Double.isNaN(values[row][column])) {
                    cells.addObject()
                            .put("row", rows.labels.get(row))
                            .put("column", columns.labels.get(column))
                            .put("value", round(values[row][column]));
                }
            }
        }
        spec.putObject("mark").put("type", "rect").put("tooltip", true);
        ObjectNode encoding = spec.putObject("encoding");
        ObjectNode x = encoding.putObject("x");
        x.put("field", "column").put("type", "ordinal").put("title", columns.title);
        columns.labels.forEach(x.putArray("sort")::add);
        x.putObject("axis").put("labelOverlap", true).put("labelAngle", 0);
        ObjectNode y = encoding.putObject("y");
        y.put("field", "row").put("type", "ordinal").put("title", rows.title);
        rows.labels.forEach(y.putArray("sort")::add);
        ObjectNode colour = encoding.putObject("color");
        colour.put("field", "value").put("type", "quantitative").put("title", measure.title);
        ArrayNode range = colour.putObject("scale").put("zero", true).putArray("range");
        for (int step : RAMP) {
            range.add(Drawing.hex(step));
        }
        colour.putObject("legend").put("format", measure.unit.vega);
        return spec.toString();
    }

    /** Background and text together: a viewer's dark theme sets only what is not said, and its text is white. */
    private static void colours(ObjectNode spec) {
        String ink = Drawing.hex(Drawing.INK);
        spec.put("background", "white");
        ObjectNode config = spec.putObject("config");
        config.putObject("title").put("color", ink);
        config.putObject("legend").put("labelColor", ink).put("titleColor", ink);
        config.putObject("view").put("stroke", "#888888");
        config.putObject("axis")
                .put("labelColor", ink)
                .put("titleColor", ink)
                .put("domainColor", "#888888")
                .put("tickColor", "#888888");
    }

    @Override
    public Drawing drawing() {
        int needed = left() + 8 * title.length() + 8; // at the heading's size
        int width = Math.max(needed, left() + columnWidth() * columns.labels.size() + RIGHT);
        int height = TOP + rowHeight() * rows.labels.size() + BOTTOM;
        double most = greatest();
        List<Drawing.Mark> marks = new ArrayList<>();
        marks.add(new Drawing.Label(left(), 20, Drawing.Anchor.START, Drawing.Style.HEADING, title));
        cells(marks, most);
        axes(marks);
        legend(marks, most);
        return new Drawing(title, width, height, marks);
    }

    /** The greatest five of each row, one line a row. */
    @Override
    public String text() {
        StringBuilder text = new StringBuilder(title).append('\n');
        for (int row = 0; row < values.length; row++) {
            double[] cells = values[row];
            List<String> best = IntStream.range(0, cells.length)
                    .filter(column -> cells[column] > 0)
                    .boxed()
                    .sorted((a, b) -> Double.compare(cells[b], cells[a]))
                    .limit(5)
                    .map(column -> columns.labels.get(column) + ": " + measure.unit.write(cells[column]))
                    .toList();
            text.append(rows.title).append(' ').append(rows.labels.get(row)).append("  ");
            text.append(String.join("  ", best)).append('\n');
        }
        return text.toString();
    }

    private void cells(List<Drawing.Mark> marks, double most) {
        int width = columnWidth() * columns.labels.size();
        marks.add(new Drawing.Box(left(), TOP, width, rowHeight() * rows.labels.size(), RAMP[0], ""));
        for (int row = 0; row < values.length; row++) {
            for (int column = 0; column < values[row].length; column++) {
                if (values[row][column] > 0) {
                    marks.add(new Drawing.Box(
                            left() + column * columnWidth(),
                            TOP + row * rowHeight(),
                            columnWidth(),
                            rowHeight(),
                            colour(values[row][column] / most),
                            cellTitle(row, column)));
                }
            }
        }
    }

    private String cellTitle(int row, int column) {
        return rows.title + " " + rows.labels.get(row) + ", " + columns.title + " " + columns.labels.get(column) + ": "
                + measure.unit.write(values[row][column]);
    }

    private void axes(List<Drawing.Mark> marks) {
        int every = Math.max(1, (int) Math.ceil((double) labelWidth() / columnWidth()));
        int bottom = TOP + rowHeight() * rows.labels.size();
        for (int column = 0; column < columns.labels.size(); column += every) {
            int x = left() + column * columnWidth() + columnWidth() / 2;
            marks.add(label(x, bottom + 14, Drawing.Anchor.MIDDLE, columns.labels.get(column)));
        }
        int middle = left() + columnWidth() * columns.labels.size() / 2;
        marks.add(label(middle, bottom + 32, Drawing.Anchor.MIDDLE, columns.title));
        int step = Math.max(1, (int) Math.ceil(12.0 / rowHeight()));
        for (int row = 0; row < rows.labels.size(); row += step) {
            int y = TOP + row * rowHeight() + rowHeight() / 2 + 4;
            marks.add(label(left() - 6, y, Drawing.Anchor.END, rows.labels.get(row)));
        }
        marks.add(label(left() - 6, TOP - 6, Drawing.Anchor.END, rows.title));
    }

    private void legend(List<Drawing.Mark> marks, double most) {
        int x = left() + columnWidth() * columns.labels.size() + 16;
        marks.add(label(x, TOP - 6, Drawing.Anchor.START, measure.title));
        int steps = 5;
        for (int step = 0; step <= steps; step++) {
            double part = 1.0 - (double) step / steps;
            marks.add(new Drawing.Box(x, TOP + step * 14, 14, 14, colour(part), ""));
            marks.add(label(x + 20, TOP + step * 14 + 11, Drawing.Anchor.START, measure.unit.write(part * most)));
        }
    }

    private static Drawing.Label label(int x, int y, Drawing.Anchor anchor, String text) {
        return new Drawing.Label(x, y, anchor, Drawing.Style.PLAIN, text);
    }

    private double greatest() {
        double most = Arrays.stream(values)
                .flatMapToDouble(Arrays::stream)
                .filter(value -> !Double.isNaN(value))
                .max()
                .orElse(0);
        return most > 0 ? most : 1;
    }

    private int left() {
        return Math.max(64, LETTER * Math.max(rows.longest(), rows.title.length()) + 16);
    }

    /** Pixels that a column's label needs. */
    private int labelWidth() {
        return Math.max(24, LETTER * columns.longest() + 3);
    }

    /** Wide cells for few columns, narrow ones for hundreds: at most about 700 pixels. */
    private int columnWidth() {
        return Math.max(3, Math.min(Math.max(28, labelWidth()), 700 / Math.max(1, columns.labels.size())));
    }

    private int rowHeight() {
        return Math.max(8, Math.min(24, 600 / Math.max(1, rows.labels.size())));
    }

    /** Linear between the ramp's steps. */
    private static int colour(double part) {
        double at = Math.max(0, Math.min(1, part)) * (RAMP.length - 1);
        int low = Math.min((int) at, RAMP.length - 2);
        double rest = at - low;
        int mixed = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int a = RAMP[low] >> shift & 0xff;
            int b = RAMP[low + 1] >> shift & 0xff;
            mixed |= (int) Math.round(a + (b - a) * rest) << shift;
        }
        return mixed;
    }

    /** Five digits: more only make saved notebooks longer. */
    private static double round(double value) {
        return Double.parseDouble(String.format(Locale.ROOT, "%.5g", value));
    }
}
