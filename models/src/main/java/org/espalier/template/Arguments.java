package org.espalier.template;

import java.util.List;
import java.util.Map;

/** Evaluated arguments of a call, filter or test. */
record Arguments(List<Object> positional, Map<String, Object> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    boolean has(int index, String name) {
        return index < positional.size() || named.containsKey(name);
    }

    Object get(int index, String name, Object fallback) {
        if (index < positional.size()) {
            return positional.get(index);
        }
        return named.containsKey(name) ? named.get(name) : fallback;
    }

    Object require(int index, String name) {
        if (!has(index, name)) {
            throw new TemplateException("the argument \"" + name + "\" is missing");
        }
        return get(index, name, null);
    }

    String text(int index, String name, String fallback) {
        Object value = get(index, name, fallback);
        if (value == null || value instanceof String) {
            return (String) value;
        }
        throw wrong(name, "a string", value);
    }

    int integer(int index, String name, int fallback) {
        Object value = get(index, name, (long) fallback);
        if (value instanceof Long number) {
            return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, number));
        }
        throw wrong(name, "an integer", value);
    }

    boolean truth(int index, String name, boolean fallback) {
        return Values.truth(get(index, name, fallback));
    }

    /** The arguments after the first {@code count} positional ones. */
    Arguments skip(int count) {
        return new Arguments(positional.subList(Math.min(count, positional.size()), positional.size()), named);
    }

    private static TemplateException wrong(String name, String expected, Object found) {
        return new TemplateException(
                "the argument \"" + name + "\" must be " + expected + ", found " + Values.typeName(found));
    }
}
