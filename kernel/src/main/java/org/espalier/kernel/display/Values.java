package org.espalier.kernel.display;

import java.awt.Graphics2D;
import java.awt.Image;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.BaseStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.DisplayDataRenderable;
import org.dflib.jjava.jupyter.kernel.display.Renderer;
import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;
import org.espalier.kernel.jshell.SnippetNames;
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
        org.dflib.jjava.jupyter.kernel.display.common.Image.registerAll(renderer);
    }

    /** @param value null too */
    public DisplayData render(Object value) {
        if (value == null) {
            return new DisplayData("null");
        }
        if (value instanceof DisplayData data) {
            return data;
        }
        if (value instanceof Displayed displayed) {
            return displayed.display();
        }
        if (value instanceof Table table) {
            return table(table);
        }
        if (value instanceof BufferedImage image) {
            return image(image);
        }
        if (value instanceof Optional<?> optional && optional.isPresent()) {
            return optional(render(optional.get()));
        }
        if (value instanceof BaseStream<?, ?> stream) {
            return new DisplayData(stream(stream));
        }
        if (value.getClass().isArray()) {
            return new DisplayData(array(value));
        }
        if (value instanceof Image || value instanceof DisplayDataRenderable) {
            return renderer.render(value);
        }
        return ClusterValues.of(value).orElseGet(() -> new DisplayData(text(value)));
    }

    /** The value's own forms, and as text what {@code Optional} would say. */
    private static DisplayData optional(DisplayData value) {
        DisplayData data = new DisplayData(value);
        data.putText("Optional[" + value.getData(MIMEType.TEXT_PLAIN) + "]");
        return data;
    }

    /** A stream can be read once: that is left to the notebook. */
    private static String stream(BaseStream<?, ?> stream) {
        return stream instanceof Stream
                ? "a Stream, not read yet: its toList() shows the elements, once"
                : "a stream of numbers, not read yet: its toArray() shows them, once";
    }

    /** As it is, or smaller: an image of more pixels than a screen would only make the notebook heavy. */
    private DisplayData image(BufferedImage image) {
        double scale = Math.sqrt(DrawingPng.MOST_PIXELS / ((double) image.getWidth() * image.getHeight()));
        if (scale >= 1) {
            return renderer.render(image);
        }
        int width = (int) (image.getWidth() * scale);
        int height = (int) (image.getHeight() * scale);
        BufferedImage smaller = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
        Graphics2D graphics = smaller.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(image, 0, 0, width, height, null);
        graphics.dispose();
        DisplayData data = renderer.render(smaller);
        data.putText("an image of " + image.getWidth() + " x " + image.getHeight() + " pixels, shown with " + width
                + " x " + height);
        return data;
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
            values.add(element != null && element.getClass().isArray() ? array(element) : text(element));
        }
        return "[" + String.join(", ", values) + (length > 100 ? ", ... " + length + " in all" : "") + "]";
    }

    /** Without JShell's names for the notebook's own classes, which a class without a {@code toString()} of its own would show. */
    private static String text(Object value) {
        String text = "" + value; // a toString() may give null
        return value instanceof CharSequence ? text : SnippetNames.clean(text);
    }
}
