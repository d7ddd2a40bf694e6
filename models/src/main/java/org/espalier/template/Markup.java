package org.espalier.template;

/**
 * Text that is safe in HTML, as {@code safe} and {@code escape} give it. It only matters to {@code +}, which escapes the other operand,
 * as in Jinja2; everywhere else it is a string.
 */
record Markup(String text) {

    /** The value as everything but {@code +} takes it. */
    static Object plain(Object value) {
        return value instanceof Markup markup ? markup.text() : value;
    }

    static String escape(String text, Budget budget) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            String entity = entity(text.charAt(i));
            if (entity == null) {
                out.append(text.charAt(i));
            } else {
                budget.grow(out.length(), entity.length());
                out.append(entity);
            }
        }
        return out.toString();
    }

    private static String entity(char c) {
        return switch (c) {
            case '&' -> "&amp;";
            case '<' -> "&lt;";
            case '>' -> "&gt;";
            case '"' -> "&#34;";
            case '\'' -> "&#39;";
            default -> null;
        };
    }
}
