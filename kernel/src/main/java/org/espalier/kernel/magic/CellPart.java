package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A cell's text in pieces: Java, and magics. */
public sealed interface CellPart {

    /** Java code, one or several lines. */
    record Java(String code) implements CellPart {}

    /** {@code %name arguments}, or {@code %%name arguments} with the rest of the cell as body. */
    record Call(String name, String arguments, Optional<String> body) implements CellPart {}

    /** A percent sign at the very beginning of a line, and a name. */
    Pattern LINE = Pattern.compile("(%%?)([A-Za-z_][\\w-]*)(?:[ \\t]+(.*))?", Pattern.DOTALL);

    /**
     * Takes a cell apart. A line that begins with a percent sign in the middle of unfinished Java belongs to that Java: it goes on with a
     * remainder.
     *
     * @param finished whether Java code may end here
     */
    static List<CellPart> of(String cell, Predicate<String> finished) {
        List<CellPart> parts = new ArrayList<>();
        StringBuilder java = new StringBuilder();
        String[] lines = cell.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            Matcher call =
                    LINE.matcher(lines[i].endsWith("\r") ? lines[i].substring(0, lines[i].length() - 1) : lines[i]);
            boolean atStart = java.toString().isBlank() && parts.isEmpty();
            if (!call.matches() || !(java.toString().isBlank() || finished.test(java.toString()))) {
                java.append(lines[i]).append('\n');
            } else if (call.group(1).equals("%%") && atStart) {
                String body = String.join("\n", List.of(lines).subList(i + 1, lines.length));
                return List.of(new Call(call.group(2), arguments(call), Optional.of(body)));
            } else if (call.group(1).equals("%")) {
                flush(java, parts);
                parts.add(new Call(call.group(2), arguments(call), Optional.empty()));
            } else {
                java.append(lines[i]).append('\n');
            }
        }
        flush(java, parts);
        return parts;
    }

    private static String arguments(Matcher call) {
        return call.group(3) == null ? "" : call.group(3);
    }

    private static void flush(StringBuilder java, List<CellPart> parts) {
        if (!java.toString().isBlank()) {
            parts.add(new Java(java.toString()));
        }
        java.setLength(0);
    }
}
