package org.espalier.kernel.dependencies;

import java.util.ArrayList;
import java.util.List;

/** {@code //DEPS} lines in a cell's leading comments, as jbang has them. */
public final class DepsComment {

    private static final String MARK = "//DEPS";

    private DepsComment() {}

    /** All coordinates of a cell's leading {@code //DEPS} lines, separated by blanks; empty if it has none. */
    public static String coordinates(String cell) {
        List<String> found = new ArrayList<>();
        boolean inBlock = false;
        for (String line : cell.lines().map(String::strip).toList()) {
            if (inBlock) {
                inBlock = !line.endsWith("*/");
            } else if (line.startsWith(MARK) && line.substring(MARK.length()).matches("\\s.*")) {
                found.add(line.substring(MARK.length())
                        .replaceFirst("\\s//.*", "")
                        .strip());
            } else if (line.startsWith("/*")) {
                inBlock = !line.contains("*/");
            } else if (!line.isEmpty() && !line.startsWith("//")) {
                break;
            }
        }
        return String.join(" ", found);
    }
}
