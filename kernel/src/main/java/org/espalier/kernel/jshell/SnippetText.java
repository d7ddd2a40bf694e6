package org.espalier.kernel.jshell;

import java.util.regex.Pattern;

/** What is handed to JShell of a piece of a cell. */
final class SnippetText {

    private static final Pattern COMMENT = Pattern.compile("//[^\n]*|/\\*.*?\\*/", Pattern.DOTALL);
    private static final Pattern IMPORT = Pattern.compile("import\\b.*", Pattern.DOTALL);

    private SnippetText() {}

    /** How many characters stand before the code: white space and comments. Without them a changed comment is no changed class. */
    static int leading(String source) {
        int at = 0;
        while (at < source.length()) {
            if (Character.isWhitespace(source.charAt(at))) {
                at++;
            } else if (source.startsWith("//", at)) {
                int end = source.indexOf('\n', at);
                at = end < 0 ? source.length() : end + 1;
            } else if (source.startsWith("/*", at) && source.indexOf("*/", at + 2) >= 0) {
                at = source.indexOf("*/", at + 2) + 2;
            } else {
                return at;
            }
        }
        return at;
    }

    /**
     * An import in one line, every character at its place. JShell puts imports as they are above each class it makes, so a line break in
     * one shifts the lines of the classes that it compiles again, takes them for changed, and empties their variables.
     */
    static String oneLineImport(String code) {
        if (!IMPORT.matcher(code).matches()) {
            return code;
        }
        String bare = COMMENT.matcher(code)
                .replaceAll(comment -> " ".repeat(comment.group().length()));
        return bare.replace('\n', ' ').replace('\r', ' ');
    }
}
