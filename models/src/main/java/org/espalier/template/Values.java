package org.espalier.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of the language and what all of them can do. A value is null (none), a {@link Boolean}, {@link Long}, {@link Double},
 * {@link String}, {@link List}, {@link Tuple}, {@link Map}, {@link Namespace}, {@link Callable}, {@link Loop} or {@link Undefined}; no
 * other Java object ever gets in, which is what makes the sandbox.
 */
final class Values {

    private static final int MAX_INPUT_DEPTH = 100;

    /** In characters: each look-up may compare all of them. */
    private static final int MAX_KEY = 1 << 16;

    /** A character alone is a string of its own, of some 50 bytes. */
    private static final long STEPS_PER_CHARACTER = 2;

    private Values() {}

    /** A copy of what the caller hands in, in the language's own types. */
    static Object fromJava(Object value) {
        return fromJava(value, 0);
    }

    private static Object fromJava(Object value, int depth) {
        if (depth > MAX_INPUT_DEPTH) {
            throw new TemplateException(
                    "a variable is nested more than " + MAX_INPUT_DEPTH + " deep: is it part of itself?");
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((key, element) -> copy.put(key(fromJava(key, depth + 1)), fromJava(element, depth + 1)));
            return copy;
        }
        if (value instanceof Iterable<?> elements) {
            List<Object> copy = new ArrayList<>();
            elements.forEach(element -> copy.add(fromJava(element, depth + 1)));
            return copy;
        }
        if (value instanceof Float || value instanceof Double) {
            return ((Number) value).doubleValue();
        }
        if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return ((Number) value).longValue();
        }
        if (value == null || value instanceof String || value instanceof Boolean || value instanceof Long) {
            return value;
        }
        throw new TemplateException("a variable of type " + value.getClass().getName()
                + " cannot go into a template: pass strings, numbers, booleans, lists and maps");
    }

    static boolean truth(Object value) {
        if (value instanceof Boolean bool) {
            return bool;
        }
        if (value instanceof Long number) {
            return number != 0;
        }
        if (value instanceof Double number) {
            return number != 0;
        }
        if (value instanceof String text) {
            return !text.isEmpty();
        }
        if (value instanceof Map || isSequence(value)) {
            return length(value) != 0;
        }
        return value != null && !(value instanceof Undefined);
    }

    static boolean isSequence(Object value) {
        return value instanceof List || value instanceof Tuple;
    }

    /** In characters (code points) or elements. */
    static long length(Object value) {
        if (value instanceof String text) {
            return text.codePointCount(0, text.length());
        }
        if (value instanceof Map<?, ?> map) {
            return map.size();
        }
        if (value instanceof Undefined) {
            return 0;
        }
        if (isSequence(value)) {
            return sequence(value).size();
        }
        throw new TemplateException(typeName(value) + " has no length");
    }

    @SuppressWarnings("unchecked") // lists and maps hold values only: see fromJava
    static List<Object> sequence(Object value) {
        return value instanceof Tuple tuple ? tuple.elements() : (List<Object>) value;
    }

    @SuppressWarnings("unchecked")
    static Map<Object, Object> map(Object value) {
        return (Map<Object, Object>) value;
    }

    /** What a loop over the value goes through: elements, keys, characters. */
    static List<Object> iterate(Object value, Budget budget) {
        if (value instanceof Undefined) {
            return List.of();
        }
        if (value instanceof String text) {
            budget.elements(text.length());
            budget.steps(STEPS_PER_CHARACTER * text.length());
            List<Object> characters = new ArrayList<>();
            text.codePoints().forEach(c -> characters.add(Character.toString(c)));
            return characters;
        }
        if (value instanceof Map<?, ?> map) {
            budget.elements(map.size());
            return new ArrayList<>(map.keySet());
        }
        if (isSequence(value)) {
            return budget.made(sequence(value));
        }
        throw new TemplateException(typeName(value) + " cannot be looped over");
    }

    /** What may be a key of a dictionary; numbers that are equal are the same key. */
    static Object key(Object value) {
        if (value instanceof Double number && number == Math.rint(number) && Math.abs(number) < 1L << 53) {
            return number.longValue();
        }
        if (value instanceof String text && text.length() > MAX_KEY) {
            throw new TemplateException(
                    "a key of " + text.length() + " characters is too long, the limit is " + MAX_KEY);
        }
        if (value == null || value instanceof String || isNumber(value)) {
            return value;
        }
        throw new TemplateException(typeName(value) + " cannot be a key: use a string or a number");
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static List<Object> listOf(Object... elements) {
        return Arrays.asList(elements);
    }

    static String typeName(Object value) {
        if (value == null) {
            return "none";
        }
        if (value instanceof Undefined) {
            return "an undefined value";
        }
        if (value instanceof String) {
            return "a string";
        }
        if (value instanceof Boolean) {
            return "a boolean";
        }
        if (value instanceof Long) {
            return "an integer";
        }
        if (value instanceof Double) {
            return "a float";
        }
        if (value instanceof Map) {
            return "a dictionary";
        }
        if (value instanceof List) {
            return "a list";
        }
        if (value instanceof Tuple) {
            return "a tuple";
        }
        return value instanceof Callable ? "a function" : "a namespace";
    }
}
