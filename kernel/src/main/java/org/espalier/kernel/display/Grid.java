package org.espalier.kernel.display;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.espalier.failure.Printable;

/**
 * A small table with a heading row, as HTML and as text. Columns of nothing but numbers and empty cells are set flush right.
 * Whoever wrote what is in a cell, it is one line there, and moves no cursor.
 *
 * @param rows each as long as {@code headings}
 */
public record Grid(List<String> headings, List<List<String>> rows) implements Displayed {

    private static final Pattern NUMBER =
            Pattern.compile("([-+]?[\\d.,]+([eE][-+]?\\d+)?( ?(GB|MB|kB|B|%))?|NaN|[-+]?Infinity|)");

    public Grid {
        headings = List.copyOf(headings);
        rows = rows.stream()
                .map(row -> row.stream().map(Printable::cell).toList())
                .toList();
        for (List<String> row : rows) {
            if (row.size() != headings.size()) {
                throw new IllegalArgumentException(
                        "a row has " + row.size() + " cells, the table " + headings.size() + " columns");
            }
        }
    }

    public String html() {
        StringBuilder html = new StringBuilder("<table><thead><tr>");
        for (int column = 0; column < headings.size(); column++) {
            html.append(cell("th", column, headings.get(column)));
        }
        html.append("</tr></thead><tbody>");
        for (List<String> row : rows) {
            html.append("<tr>");
            for (int column = 0; column < row.size(); column++) {
                html.append(cell("td", column, row.get(column)));
            }
            html.append("</tr>");
        }
        return html.append("</tbody></table>").toString();
    }

    private String cell(String tag, int column, String content) {
        return "<" + tag + " style=\"text-align:" + (isNumeric(column) ? "right" : "left") + "\">"
                + Escape.html(content) + "</" + tag + ">";
    }

    public String text() {
        int[] widths = IntStream.range(0, headings.size()).map(this::width).toArray();
        List<String> lines = new ArrayList<>();
        lines.add(line(headings, widths));
        rows.forEach(row -> lines.add(line(row, widths)));
        return String.join("\n", lines);
    }

    private String line(List<String> cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < cells.size(); column++) {
            String pad = " ".repeat(widths[column] - cells.get(column).length());
            line.append(column == 0 ? "" : "  ");
            line.append(isNumeric(column) ? pad + cells.get(column) : cells.get(column) + pad);
        }
        return line.toString().stripTrailing();
    }

    private int width(int column) {
        return Math.max(
                headings.get(column).length(),
                rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0));
    }

    private boolean isNumeric(int column) {
        return !rows.isEmpty()
                && rows.stream().allMatch(row -> NUMBER.matcher(row.get(column)).matches());
    }

    @Override
    public DisplayData display() {
        return Bundles.html(text(), html());
    }
}
