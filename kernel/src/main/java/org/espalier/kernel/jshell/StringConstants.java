package org.espalier.kernel.jshell;

/**
 * Texts in code that are too long for a class file. They must not reach the compiler: JShell uses one again and again, and it keeps such a text
 * among the constants of whatever it compiles next, so that no later code compiles.
 */
final class StringConstants {

    /** In modified UTF-8. */
    private static final int MOST_BYTES = 65_535;

    private final String code;
    private int at;
    /** Of the texts that are joined by nothing but {@code +}, which the compiler makes one. */
    private long bytes;

    private StringConstants(String code) {
        this.code = code;
    }

    static boolean areTooLong(String code) {
        return code.length() > MOST_BYTES / 3 && new StringConstants(code).scan();
    }

    private boolean scan() {
        while (at < code.length()) {
            if (code.startsWith("//", at)) {
                skipTo("\n");
            } else if (code.startsWith("/*", at)) {
                at += 2;
                skipTo("*/");
            } else if (code.startsWith("\"\"\"", at)) {
                text("\"\"\"");
            } else if (code.charAt(at) == '"') {
                text("\"");
            } else if (code.charAt(at) == '\'') {
                long before = bytes;
                text("'");
                bytes = before;
            } else {
                char other = code.charAt(at++);
                if (other != '+' && other != '(' && other != ')' && !Character.isWhitespace(other)) {
                    bytes = 0;
                }
            }
            if (bytes > MOST_BYTES) {
                return true;
            }
        }
        return false;
    }

    private void skipTo(String end) {
        int found = code.indexOf(end, at);
        at = found < 0 ? code.length() : found + end.length();
    }

    private void text(String quote) {
        int from = at + quote.length();
        at = from;
        while (at < code.length() && !code.startsWith(quote, at)) {
            at += code.charAt(at) == '\\' ? 2 : 1;
        }
        String raw = code.substring(from, Math.min(at, code.length()));
        boolean block = quote.length() > 1;
        bytes += bytes(block ? raw.substring(raw.indexOf('\n') + 1).stripIndent() : raw);
        at += quote.length();
    }

    private static long bytes(String raw) {
        long bytes = 0;
        for (int i = 0; i < raw.length(); i++) {
            char next = raw.charAt(i);
            if (next == '\\') {
                bytes++; // at least
                i += raw.startsWith("u", i + 1) ? 5 : 1;
            } else {
                bytes += next == 0 ? 2 : next < 0x80 ? 1 : next < 0x800 ? 2 : 3;
            }
        }
        return bytes;
    }
}
