package org.espalier.kernel.jshell;

import java.util.List;
import jdk.jshell.Diag;

/** The code that a compile error is about. */
final class Underline {

    /** What is shown of a long line on both sides of the error. */
    private static final int BEFORE = 90;

    private static final int AFTER = 40;

    private Underline() {}

    /** The line of the cell, and below it the error's span underlined. */
    static List<String> of(Origin origin, Diag error) {
        String text = origin.text();
        int start = Math.min(text.length(), origin.offset() + (int) Math.max(0, error.getStartPosition()));
        int end = Math.min(text.length(), origin.offset() + (int) Math.max(0, error.getEndPosition()));
        int lineStart = Math.max(text.lastIndexOf('\n', start - 1) + 1, start - BEFORE);
        int next = text.indexOf('\n', start);
        int lineEnd = Math.min(next < 0 ? text.length() : next, Math.max(end, start) + AFTER);
        int width = Math.max(1, Math.min(end, lineEnd) - start);
        // Tabs stay tabs, so that the marks stand below their code.
        String before = text.substring(lineStart, start).replaceAll("[^\t]", " ");
        return List.of(text.substring(lineStart, lineEnd), before + Ansi.strong("^".repeat(width)));
    }
}
