package org.espalier.kernel.magic;

/**
 * Reads Java line by line, as far as needed to tell where a statement may begin: strings, characters, text blocks, comments and Unicode
 * escapes are known, everything else is a token of one character. Each character is read once.
 */
final class JavaText {

    private enum Inside {
        CODE,
        COMMENT,
        TEXT_BLOCK
    }

    private static final char NONE = 0;
    private static final char LITERAL = '"';

    private final String text;
    private int at;
    private int end;
    private Inside inside = Inside.CODE;
    private char last = NONE;
    private int depth;

    JavaText(String text) {
        this.text = text;
    }

    /** The last character of code; 0 before any. */
    char last() {
        return last;
    }

    /** Whether what comes now may begin a statement or a declaration. */
    boolean mayBegin() {
        return inside == Inside.CODE && (last == NONE || last == '{' || last == '}' || last == ';');
    }

    /** Whether what comes now is inside braces, parentheses or brackets. */
    boolean isNested() {
        return depth > 0;
    }

    /** Reads from {@code from}, where a line begins, to {@code to}, where it ends. */
    void read(int from, int to) {
        at = from;
        end = to;
        while (at < end) {
            switch (inside) {
                case CODE -> code();
                case COMMENT -> comment();
                case TEXT_BLOCK -> textBlock();
            }
        }
    }

    /** Takes the line before {@code next}, which is no Java, for a statement. */
    void statement(int next) {
        at = next;
        last = ';';
    }

    private void code() {
        char c = take();
        if (Character.isWhitespace(c)) {
            return;
        }
        if (c == '/' && takeIf('/')) {
            lineComment();
            return;
        }
        if (c == '/' && takeIf('*')) {
            inside = Inside.COMMENT;
            return;
        }
        last = c;
        switch (c) {
            case '"' -> string();
            case '\'' -> untilQuote('\'');
            case '{', '(', '[' -> depth++;
            case '}', ')', ']' -> depth = Math.max(0, depth - 1);
            default -> {}
        }
    }

    private void string() {
        if (!takeIf('"')) {
            untilQuote('"');
        } else if (takeIf('"')) {
            inside = Inside.TEXT_BLOCK;
        }
    }

    /** A literal that is not closed ends with its line: the compiler will say so. */
    private void untilQuote(char quote) {
        last = LITERAL;
        while (at < end) {
            char c = take();
            if (c == quote || c == '\n' || c == '\r') {
                return;
            }
            if (c == '\\') {
                escaped();
            }
        }
    }

    private void lineComment() {
        while (at < end) {
            char c = take();
            if (c == '\n' || c == '\r') {
                return;
            }
        }
    }

    private void comment() {
        if (take() == '*' && takeIf('/')) {
            inside = Inside.CODE;
        }
    }

    private void textBlock() {
        char c = take();
        if (c == '\\') {
            escaped();
        } else if (c == '"' && takeIf('"')) {
            if (takeIf('"')) {
                inside = Inside.CODE;
                last = LITERAL;
            }
        }
    }

    /** Skips the character after a backslash: a second backslash begins no Unicode escape. */
    private void escaped() {
        if (at < end && text.charAt(at) == '\\' && text.charAt(at - 1) == '\\') {
            at++;
        } else if (at < end) {
            take();
        }
    }

    private boolean takeIf(char wanted) {
        int before = at;
        if (at < end && take() == wanted) {
            return true;
        }
        at = before;
        return false;
    }

    /** The next character, a Unicode escape being one. */
    private char take() {
        char c = text.charAt(at++);
        if (c != '\\' || at >= end || text.charAt(at) != 'u') {
            return c;
        }
        int digits = at;
        while (digits < end && text.charAt(digits) == 'u') {
            digits++;
        }
        int value = 0;
        for (int i = digits; i < digits + 4; i++) {
            int digit = i < end ? Character.digit(text.charAt(i), 16) : -1;
            if (digit < 0) {
                return c;
            }
            value = value * 16 + digit;
        }
        at = digits + 4;
        return (char) value;
    }
}
