package org.espalier.template;

import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The {@code tojson} filter: what Python's {@code json.dumps} writes, character for character. */
final class Json {

    /**
     * @param indent white space of one level, null for one line
     * @param asciiOnly writes other characters as {@code \\uXXXX}
     */
    record Options(String indent, String itemSeparator, String keySeparator, boolean sortKeys, boolean asciiOnly) {}

    private final StringBuilder out = new StringBuilder();
    private final Options options;
    private final Budget budget;

    private Json(Options options, Budget budget) {
        this.options = options;
        this.budget = budget;
    }

    static String write(Object value, Options options, Budget budget) {
        Json json = new Json(options, budget);
        json.append(value, 0);
        return budget.made(json.out.toString());
    }

    private void append(Object value, int level) {
        budget.enter();
        if (value instanceof String text) {
            quote(text);
        } else if (value == null) {
            out.append("null");
        } else if (value instanceof Boolean || value instanceof Long) {
            out.append(value);
        } else if (value instanceof Double number) {
            out.append(number(number));
        } else if (value instanceof Map) {
            appendMap(Values.map(value), level);
        } else if (Values.isSequence(value)) {
            appendList(Values.sequence(value), level);
        } else {
            throw new TemplateException(
                    Values.typeName(value) + " has no form in JSON: check that the variable is set");
        }
        budget.leave();
    }

    private void appendList(List<Object> elements, int level) {
        out.append('[');
        boolean first = true;
        for (Object element : elements) {
            separate(first, level + 1);
            append(element, level + 1);
            first = false;
        }
        close(']', elements.isEmpty(), level);
    }

    private void appendMap(Map<Object, Object> map, int level) {
        out.append('{');
        boolean first = true;
        List<Map.Entry<Object, Object>> entries = List.copyOf(entries(map));
        for (Map.Entry<Object, Object> entry : entries) {
            separate(first, level + 1);
            quote(key(entry.getKey()));
            out.append(options.keySeparator());
            append(entry.getValue(), level + 1);
            first = false;
        }
        close('}', map.isEmpty(), level);
    }

    private List<Map.Entry<Object, Object>> entries(Map<Object, Object> map) {
        Comparator<Map.Entry<Object, Object>> byKey = Comparator.comparing(entry -> key(entry.getKey()));
        return options.sortKeys() ? map.entrySet().stream().sorted(byKey).toList() : List.copyOf(map.entrySet());
    }

    private static String key(Object key) {
        if (key instanceof Double number) {
            return number(number);
        }
        return String.valueOf(key); // none and booleans are spelled as Java spells them
    }

    private static String number(double value) {
        if (Double.isNaN(value)) {
            return "NaN";
        }
        return Double.isInfinite(value) ? (value > 0 ? "Infinity" : "-Infinity") : Text.number(value);
    }

    private void separate(boolean first, int level) {
        if (!first) {
            out.append(options.itemSeparator());
        }
        newLine(level);
    }

    private void close(char bracket, boolean empty, int level) {
        if (!empty) {
            newLine(level);
        }
        out.append(bracket);
    }

    private void newLine(int level) {
        if (options.indent() != null) {
            budget.grow(out.length(), (long) level * options.indent().length());
            out.append('\n').append(options.indent().repeat(level));
        }
    }

    private void quote(String text) {
        budget.grow(out.length(), text.length());
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ' || (options.asciiOnly() && c > '~')) {
                        String digits = Integer.toHexString(c);
                        out.append("\\u")
                                .append("0".repeat(4 - digits.length()))
                                .append(digits);
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
