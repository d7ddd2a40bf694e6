package org.espalier.kernel.magic;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** A value in one short line. Of what holds many, only the first few are looked at. */
final class ShortText {

    private static final int CHARACTERS = 80;
    private static final int ELEMENTS = 8;
    private static final int DEPTH = 3;

    private ShortText() {}

    static String of(Object value) {
        return cut(text(value, 0));
    }

    private static String text(Object value, int depth) {
        if (value instanceof CharSequence text) {
            return quoted(text);
        }
        if (value == null || depth == DEPTH) {
            return value == null ? "null" : "...";
        }
        try {
            if (value.getClass().isArray()) {
                IntFunction<Object> element = i -> Array.get(value, i);
                int length = Array.getLength(value);
                return list("[", IntStream.range(0, length).mapToObj(element).iterator(), length, "]", depth);
            }
            if (value instanceof Collection<?> collection) {
                return list("[", collection.iterator(), collection.size(), "]", depth);
            }
            if (value instanceof Map<?, ?> map) {
                return list("{", map.entrySet().iterator(), map.size(), "}", depth);
            }
            if (value instanceof Map.Entry<?, ?> entry) {
                return text(entry.getKey(), depth + 1) + "=" + text(entry.getValue(), depth + 1);
            }
            return String.valueOf(value.toString());
        } catch (RuntimeException | StackOverflowError e) {
            return value.getClass().getSimpleName() + ", whose text fails: "
                    + e.getClass().getSimpleName();
        }
    }

    private static String list(String open, Iterator<?> elements, int size, String close, int depth) {
        List<String> shown = new ArrayList<>();
        while (shown.size() < ELEMENTS && elements.hasNext()) {
            shown.add(text(elements.next(), depth + 1));
        }
        String more = size > shown.size() ? ", ... " + size + " in all" : "";
        return open + String.join(", ", shown) + more + close;
    }

    private static String quoted(CharSequence text) {
        String first = text.length() > CHARACTERS
                ? text.subSequence(0, CHARACTERS) + "... " + text.length() + " characters"
                : text.toString();
        return '"' + first + '"';
    }

    private static String cut(String text) {
        String line = text.substring(0, Math.min(text.length(), 4 * CHARACTERS))
                .replace("\r", "\\r")
                .replace("\n", "\\n")
                .replace("\t", "\\t");
        int length = line.codePointCount(0, line.length());
        return length <= 2 * CHARACTERS && text.length() <= 4 * CHARACTERS
                ? line
                : line.substring(0, line.offsetByCodePoints(0, Math.min(length, 2 * CHARACTERS))) + "...";
    }
}
