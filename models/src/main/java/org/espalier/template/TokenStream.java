package org.espalier.template;

import java.util.List;
import org.espalier.template.Token.Kind;

/** The parsers' place in the tokens. */
final class TokenStream {

    /** How deep brackets and blocks may nest; published templates stay below 15. */
    private static final int MAX_DEPTH = 64;

    private final List<Token> tokens;
    private int position;
    private int depth;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(position);
    }

    /** The token after {@link #peek}. */
    Token peekSecond() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(position);
        if (token.kind() != Kind.END) {
            position++;
        }
        return token;
    }

    boolean at(Kind kind) {
        return peek().kind() == kind;
    }

    boolean atOperator(String spelling) {
        return peek().isOperator(spelling);
    }

    boolean skipOperator(String spelling) {
        return skipIf(atOperator(spelling));
    }

    boolean skipName(String name) {
        return skipIf(peek().isName(name));
    }

    Token expect(Kind kind, String expected) {
        if (!at(kind)) {
            throw unexpected(expected);
        }
        return next();
    }

    void expectOperator(String spelling) {
        if (!skipOperator(spelling)) {
            throw unexpected("\"" + spelling + "\"");
        }
    }

    TemplateException unexpected(String expected) {
        return new TemplateException("expected " + expected + ", found " + peek().describe(), peek().line());
    }

    int line() {
        return peek().line();
    }

    /** Every recursion of the parsers passes here, so hostile nesting ends in an error and not in a stack overflow. */
    void enter() {
        if (++depth > MAX_DEPTH) {
            throw new TemplateException("nested more than " + MAX_DEPTH + " deep: simplify it", line());
        }
    }

    void leave() {
        depth--;
    }

    private boolean skipIf(boolean matches) {
        if (matches) {
            next();
        }
        return matches;
    }
}
