package org.espalier.template;

/**
 * A piece of template source.
 *
 * @param text the characters for {@code DATA} and {@code STRING} (unescaped), the spelling for all others
 * @param line from 1
 */
record Token(Kind kind, String text, int line) {

    enum Kind {
        /** Text outside of any tag. */
        DATA,
        OUTPUT_BEGIN,
        OUTPUT_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean isOperator(String spelling) {
        return kind == Kind.OPERATOR && text.equals(spelling);
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    String describe() {
        return switch (kind) {
            case END -> "the end of the template";
            case BLOCK_END -> "%}";
            case OUTPUT_END -> "}}";
            case DATA -> "text";
            default -> "\"" + (text.length() > 40 ? text.substring(0, 40) + "..." : text) + "\"";
        };
    }
}
