package org.espalier.kernel.jshell;

/**
 * Where a snippet stands in its cell.
 *
 * @param source {@code Cell [2]}, or the file; empty for code that is not in a cell
 * @param firstLine the line of the cell at which {@code text} begins, from 1
 * @param text the Java that the snippet is part of
 * @param offset where in {@code text} the snippet begins
 */
record Origin(String source, int firstLine, String text, int offset) {

    /** The line of the cell that holds a position of the snippet. */
    int line(int position) {
        int end = Math.min(text.length(), Math.max(0, offset + position));
        return firstLine
                + (int) text.substring(0, end).chars().filter(c -> c == '\n').count();
    }

    /** {@code Cell [2], line 3}. */
    String place(int line) {
        return (source.isEmpty() ? "" : source + ", ") + "line " + line;
    }
}
