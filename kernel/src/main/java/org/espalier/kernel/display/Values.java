package org.espalier.kernel.display;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.Renderer;
import org.dflib.jjava.jupyter.kernel.display.common.Image;
import org.espalier.routing.ExpertLoad;
import org.espalier.routing.RoutingTrace;
import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.FloatColumn;
import tech.tablesaw.api.NumericColumn;
import tech.tablesaw.api.Table;
import tech.tablesaw.columns.Column;

/** Values of expressions as displays: what this package can draw, then what the base can, then text. */
public final class Values {

    /** Rows of a table that are shown; the rest is counted. */
    private static final int SHOWN_ROWS = 50;

    private final Renderer renderer = new Renderer();

    public Values() {
        Image.registerAll(renderer);
    }

    /** @param value null too */
    public DisplayData render(Object value) {
        if (value == null) {
            return new DisplayData("null");
        }
        if (value instanceof DisplayData data) {
            return data;
        }
        if (value instanceof Table table) {
            return table(table);
        }
        if (value instanceof Displayed displayed) {
            return displayed.display();
        }
        if (value instanceof ExpertLoad load) {
            return new ExpertHeatmap(load).display();
        }
        if (value instanceof RoutingTrace trace) {
            return new ExpertHeatmap(trace.load()).display();
        }
        if (value.getClass().isArray()) {
            return new DisplayData(array(value));
        }
        return renderer.render(value);
    }

    private static DisplayData table(Table table) {
        List<List<String>> rows = new ArrayList<>();
        for (int row = 0; row < Math.min(SHOWN_ROWS, table.rowCount()); row++) {
            int r = row;
            rows.add(IntStream.range(0, table.columnCount())
                    .mapToObj(column -> cell(table.column(column), r))
                    .toList());
        }
        Grid grid = new Grid(table.columnNames(), rows);
        String size = table.name() + ": " + table.rowCount() + " rows x " + table.columnCount() + " columns"
                + (rows.size() < table.rowCount() ? ", the first " + rows.size() + " shown" : "");
        DisplayData data = new DisplayData(size + "\n" + grid.text());
        data.putHTML(grid.html() + "<small>" + Escape.html(size) + "</small>");
        return data;
    }

    /** Fractions in four figures: more are noise to a reader, and stay in the table. Whole numbers, for instance sums, as they are. */
    private static String cell(Column<?> column, int row) {
        boolean fraction = column instanceof DoubleColumn || column instanceof FloatColumn;
        if (!fraction || column.isMissing(row)) {
            return column.getString(row);
        }
        double value = ((NumericColumn<?>) column).getDouble(row);
        boolean whole =
                value == Math.rint(value) && Math.abs(value) < 1e15; // beyond it a double has no digit for the ones
        return String.format(Locale.ROOT, whole ? "%.0f" : "%.4g", value);
    }

    private static String array(Object array) {
        int length = Array.getLength(array);
        List<String> values = new ArrayList<>();
        for (int i = 0; i < Math.min(100, length); i++) {
            Object element = Array.get(array, i);
            values.add(element != null && element.getClass().isArray() ? array(element) : String.valueOf(element));
        }
        return "[" + String.join(", ", values) + (length > 100 ? ", ... " + length + " in all" : "") + "]";
    }
}
