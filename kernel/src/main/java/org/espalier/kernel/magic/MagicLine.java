package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A line of a cell that is no Java. It begins where a statement may begin: the last token of Java before it is <code>{</code>,
 * <code>}</code>, {@code ;} or none.
 *
 * @param number of the line, from 1
 * @param start where in the cell the line begins
 * @param end where it ends, without its line break
 * @param sign {@code %}, {@code %%} or {@code !}
 * @param name of the magic; empty for {@code !}
 * @param arguments the rest of the line, without the blanks before it
 * @param place of the line
 */
public record MagicLine(int number, int start, int end, String sign, String name, String arguments, Place place) {

    /** Where a line stands. */
    public enum Place {
        /** Nothing but comments is above it. */
        FIRST,
        /** Between the cell's own statements. */
        BETWEEN,
        /** Inside a block of Java. */
        NESTED
    }

    private static final Pattern MAGIC =
            Pattern.compile("[ \\t]*(%%?)([A-Za-z_][\\w-]*)(?:[ \\t]+(.*))?", Pattern.DOTALL);

    private static final Pattern SHELL = Pattern.compile("[ \\t]*!(?!=)[ \\t]*(\\S.*)", Pattern.DOTALL);

    /**
     * All of a cell, in their order; a cell magic is the last, its body is what follows it.
     *
     * @param known the names of magics; another name is one too, misspelt, where Java could not go on with a remainder
     */
    public static List<MagicLine> all(String cell, Predicate<String> known) {
        List<MagicLine> found = new ArrayList<>();
        JavaText java = new JavaText(cell);
        int number = 1;
        int next;
        for (int start = 0; start < cell.length(); start = next, number++) {
            int line = cell.indexOf('\n', start);
            next = line < 0 ? cell.length() : line + 1;
            int end = line < 0 ? next : line;
            end = end > start && cell.charAt(end - 1) == '\r' ? end - 1 : end;
            MagicLine magic = java.mayBegin() ? at(cell, number, start, end, java, known) : null;
            if (magic == null) {
                java.read(start, next);
            } else {
                found.add(magic);
                java.statement(next);
                if (magic.isCellMagic()) {
                    break;
                }
            }
        }
        return found;
    }

    private static MagicLine at(String cell, int number, int start, int end, JavaText java, Predicate<String> known) {
        Place place = java.isNested() ? Place.NESTED : java.last() == 0 ? Place.FIRST : Place.BETWEEN;
        int sign = Words.skipBlanks(cell, start);
        if (sign >= end || cell.charAt(sign) != '%' && cell.charAt(sign) != '!') {
            return null;
        }
        String line = cell.substring(start, end);
        Matcher magic = MAGIC.matcher(line);
        if (magic.matches()) {
            boolean remainder = java.last() == '}' && place == Place.NESTED; // of a switch expression
            String arguments = magic.group(3) == null ? "" : magic.group(3);
            return known.test(magic.group(2)) || !remainder
                    ? new MagicLine(number, start, end, magic.group(1), magic.group(2), arguments, place)
                    : null;
        }
        Matcher shell = SHELL.matcher(line);
        return shell.matches() && place != Place.NESTED
                ? new MagicLine(number, start, end, "!", "", shell.group(1), place)
                : null;
    }

    /** Whether it takes all lines below it. */
    public boolean isCellMagic() {
        return sign.equals("%%") && place == Place.FIRST;
    }

    /** Where in its cell the name ends. */
    public int nameEnd(String cell) {
        return Words.skipBlanks(cell, start) + sign.length() + name.length();
    }

    /** Where the next line of its cell begins. */
    int next(String cell) {
        int line = cell.indexOf('\n', end);
        return line < 0 ? cell.length() : line + 1;
    }
}
