package org.espalier.kernel.jshell;

import java.util.ArrayList;
import java.util.List;
import jdk.jshell.Diag;

/** A compile error under the code that it is about. */
final class Underline {

    private Underline() {}

    /** The message, then the line with the error's span underlined. */
    static List<String> of(String source, Diag error) {
        List<String> lines = new ArrayList<>();
        error.getMessage(null).lines().forEach(line -> lines.add(Ansi.red(line)));
        int start = (int) Math.max(0, Math.min(source.length(), error.getStartPosition()));
        int end = (int) Math.max(start, Math.min(source.length(), error.getEndPosition()));
        int lineStart = source.lastIndexOf('\n', start - 1) + 1;
        int next = source.indexOf('\n', start);
        int lineEnd = next < 0 ? source.length() : next;
        lines.add(source.substring(lineStart, lineEnd));
        int width = Math.max(1, Math.min(end, lineEnd) - start);
        lines.add(" ".repeat(start - lineStart) + Ansi.red("^".repeat(width)));
        return lines;
    }
}
