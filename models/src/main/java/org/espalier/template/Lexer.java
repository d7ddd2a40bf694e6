package org.espalier.template;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.template.Token.Kind;

/**
 * Cuts a template into data and tags, with the white space rules that chat templates are written for: {@code trim_blocks} (a newline
 * right after a block or comment is dropped), {@code lstrip_blocks} (white space between the line's start and a block or comment is
 * dropped), {@code -} (all white space on that side is dropped), {@code +} (keep it), and no newline at the template's end.
 */
final class Lexer {

    private static final Pattern RAW = Pattern.compile("\\s*raw\\s*(-?)%}");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int position;
    private int line = 1;

    /** Whether the data that follows begins a line. */
    private boolean atLineStart = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokenize(String source) {
        String newlines = source.replace("\r\n", "\n").replace('\r', '\n');
        return new Lexer(newlines.endsWith("\n") ? newlines.substring(0, newlines.length() - 1) : newlines).run();
    }

    private List<Token> run() {
        while (position < source.length()) {
            int tag = nextTag(position);
            if (tag < 0) {
                data(position, source.length());
                break;
            }
            char kind = source.charAt(tag + 1);
            data(position, dataEnd(tag, kind));
            moveTo(tag + 2);
            char mark = position < source.length() ? source.charAt(position) : ' ';
            if (mark == '-' || mark == '+') {
                position++;
            }
            switch (kind) {
                case '#' -> comment();
                case '%' -> block();
                default -> output();
            }
        }
        add(Kind.END, "");
        return tokens;
    }

    private int nextTag(int from) {
        for (int i = source.indexOf('{', from); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char kind = source.charAt(i + 1);
            if (kind == '{' || kind == '%' || kind == '#') {
                return i;
            }
        }
        return -1;
    }

    /** Where the data before a tag ends once the tag's white space rule is applied. */
    private int dataEnd(int tag, char kind) {
        char mark = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
        int end = tag;
        while (end > position && Strings.isSpace(source.charAt(end - 1))) {
            end--;
        }
        if (mark == '-') {
            return end;
        }
        if (kind == '{' || mark == '+') {
            return tag;
        }
        int lineStart = tag;
        while (lineStart > position && source.charAt(lineStart - 1) != '\n') {
            lineStart--;
        }
        boolean blankLine = end <= lineStart && (lineStart > position || atLineStart);
        return blankLine ? lineStart : tag;
    }

    private void data(int from, int to) {
        if (to > from) {
            add(Kind.DATA, source.substring(from, to));
        }
        moveTo(to);
    }

    private void comment() {
        int end = source.indexOf("#}", position);
        if (end < 0) {
            throw new TemplateException("a comment is not closed: add #}", line);
        }
        boolean strip = end > position && source.charAt(end - 1) == '-';
        boolean keep = end > position && source.charAt(end - 1) == '+';
        moveTo(end + 2);
        afterTag(strip, !keep);
    }

    private void block() {
        Matcher raw = RAW.matcher(source).region(position, source.length());
        if (raw.lookingAt()) {
            moveTo(raw.end());
            afterTag(!raw.group(1).isEmpty(), false);
            raw();
        } else {
            add(Kind.BLOCK_BEGIN, "{%");
            expression("%}", Kind.BLOCK_END);
        }
    }

    private void output() {
        add(Kind.OUTPUT_BEGIN, "{{");
        expression("}}", Kind.OUTPUT_END);
    }

    /** Everything up to {@code {% endraw %}} is data. */
    private void raw() {
        int start = position;
        for (int tag = source.indexOf("{%", start); tag >= 0; tag = source.indexOf("{%", tag + 2)) {
            int name = tag + 2;
            name += name < source.length() && "-+".indexOf(source.charAt(name)) >= 0 ? 1 : 0;
            while (name < source.length() && Strings.isSpace(source.charAt(name))) {
                name++;
            }
            if (source.startsWith("endraw", name)) {
                data(start, dataEnd(tag, '%'));
                moveTo(name + "endraw".length());
                expression("%}", Kind.BLOCK_END);
                if (tokens.remove(tokens.size() - 1).kind() != Kind.BLOCK_END) {
                    break;
                }
                return;
            }
        }
        throw new TemplateException("a raw block is not closed: add {% endraw %}", line);
    }

    /** The tokens of a tag up to its end mark, which counts only outside of brackets. */
    private void expression(String endMark, Kind endKind) {
        int depth = 0;
        while (true) {
            while (position < source.length() && Strings.isSpace(source.charAt(position))) {
                moveTo(position + 1);
            }
            if (position >= source.length()) {
                throw new TemplateException("a tag is not closed: add " + endMark, line);
            }
            char mark = source.charAt(position);
            int end = mark == '-' || mark == '+' ? position + 1 : position;
            if (depth == 0 && source.startsWith(endMark, end) && !(mark == '+' && endKind == Kind.OUTPUT_END)) {
                add(endKind, endMark);
                moveTo(end + 2);
                afterTag(mark == '-', endKind == Kind.BLOCK_END && mark != '+');
                return;
            }
            Scanner scanner = new Scanner(source, position, line);
            Token token = scanner.next();
            tokens.add(token);
            moveTo(scanner.end());
            if (token.kind() == Kind.OPERATOR) {
                depth += "([{".contains(token.text()) ? 1 : ")]}".contains(token.text()) ? -1 : 0;
            }
        }
    }

    private void afterTag(boolean strip, boolean trimNewline) {
        int from = position;
        if (strip) {
            while (position < source.length() && Strings.isSpace(source.charAt(position))) {
                moveTo(position + 1);
            }
        } else if (trimNewline && position < source.length() && source.charAt(position) == '\n') {
            moveTo(position + 1);
        }
        atLineStart = position > from && source.charAt(position - 1) == '\n';
    }

    private void moveTo(int to) {
        for (; position < to; position++) {
            if (source.charAt(position) == '\n') {
                line++;
            }
        }
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, line));
    }
}
