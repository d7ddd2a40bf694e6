package org.espalier.template;

import org.espalier.template.Token.Kind;

/** Reads one token of an expression. */
final class Scanner {

    /** Longest first. */
    private static final String[] OPERATORS = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "(", ")", "[", "]", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";"
    };

    private final String source;
    private final int start;
    private final int line;
    private int end;

    Scanner(String source, int start, int line) {
        this.source = source;
        this.start = start;
        this.end = start;
        this.line = line;
    }

    int end() {
        return end;
    }

    Token next() {
        char first = source.charAt(start);
        if (first == '"' || first == '\'') {
            return string(first);
        }
        if (isDigit(first)) {
            return number();
        }
        if (Character.isUnicodeIdentifierStart(first) || first == '_') {
            while (end < source.length()
                    && (Character.isUnicodeIdentifierPart(source.charAt(end)) || source.charAt(end) == '_')) {
                end++;
            }
            return new Token(Kind.NAME, source.substring(start, end), line);
        }
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, start)) {
                end = start + operator.length();
                return new Token(Kind.OPERATOR, operator, line);
            }
        }
        throw new TemplateException("\"" + first + "\" is not expected here", line);
    }

    private Token number() {
        digits();
        boolean isFloat = false;
        if (end + 1 < source.length() && source.charAt(end) == '.' && isDigit(source.charAt(end + 1))) {
            end++;
            digits();
            isFloat = true;
        }
        if (end < source.length() && (source.charAt(end) == 'e' || source.charAt(end) == 'E')) {
            int exponent = end + 1;
            exponent += exponent < source.length() && "+-".indexOf(source.charAt(exponent)) >= 0 ? 1 : 0;
            if (exponent < source.length() && isDigit(source.charAt(exponent))) {
                end = exponent;
                digits();
                isFloat = true;
            }
        }
        String text = source.substring(start, end).replace("_", "");
        return new Token(isFloat ? Kind.FLOAT : Kind.INTEGER, text, line);
    }

    private void digits() {
        while (end < source.length() && (isDigit(source.charAt(end)) || source.charAt(end) == '_')) {
            end++;
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private Token string(char quote) {
        StringBuilder text = new StringBuilder();
        for (end = start + 1; end < source.length(); end++) {
            char c = source.charAt(end);
            if (c == quote) {
                end++;
                return new Token(Kind.STRING, text.toString(), line);
            }
            if (c == '\\') {
                escape(text);
            } else {
                text.append(c);
            }
        }
        throw new TemplateException("a string is not closed: add " + quote, line);
    }

    /** Python's escapes; what is not one stands for itself, backslash included. */
    private void escape(StringBuilder text) {
        end++;
        char c = end < source.length() ? source.charAt(end) : '\0';
        switch (c) {
            case 'n' -> text.append('\n');
            case 't' -> text.append('\t');
            case 'r' -> text.append('\r');
            case 'b' -> text.append('\b');
            case 'f' -> text.append('\f');
            case 'a' -> text.append('\u0007');
            case 'v' -> text.append('\u000B');
            case '0' -> text.append('\0');
            case '\\', '\'', '"' -> text.append(c);
            case '\n' -> {}
            case 'x' -> codePoint(text, 2);
            case 'u' -> codePoint(text, 4);
            case 'U' -> codePoint(text, 8);
            default -> text.append('\\').append(c);
        }
    }

    private void codePoint(StringBuilder text, int digits) {
        try {
            int codePoint = Integer.parseInt(source, end + 1, end + 1 + digits, 16);
            text.appendCodePoint(codePoint);
            end += digits;
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new TemplateException("\\" + source.charAt(end) + " needs " + digits + " hexadecimal digits", line);
        }
    }
}
