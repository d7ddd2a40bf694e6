package org.espalier.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** {@code a.b}, {@code a[b]} and {@code a[b:c:d]}. Only what is listed here can be reached; nothing is looked up in Java. */
final class Access {

    /** Would change a value that the caller or another part of the template holds. */
    private static final Set<String> CHANGING = Set.of(
            "append",
            "extend",
            "insert",
            "remove",
            "pop",
            "popitem",
            "clear",
            "update",
            "setdefault",
            "sort",
            "reverse");

    private final Budget budget;
    private final Operators operators;

    Access(Budget budget, Operators operators) {
        this.budget = budget;
        this.operators = operators;
    }

    Object attribute(Object of, String name) {
        Object method = ownAttribute(of, name);
        return method instanceof Undefined && of instanceof Map<?, ?> map && map.containsKey(name)
                ? map.get(name)
                : method;
    }

    Object item(Object of, Object index) {
        if (of instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (of instanceof Map<?, ?> map) {
            Object key = Values.key(index);
            if (map.containsKey(key)) {
                return map.get(key);
            }
        } else if (index instanceof Long position && (of instanceof String || Values.isSequence(of))) {
            return at(of, position);
        }
        return index instanceof String name ? ownAttribute(of, name) : missing(of, Text.repr(index, budget));
    }

    /** An attribute named by a filter's argument: {@code "a.b"}, or a place in a list. */
    Object path(Object of, Object path) {
        if (!(path instanceof String names)) {
            return item(of, path);
        }
        Object value = of;
        budget.chars(names.length());
        for (String name : names.split("\\.", -1)) {
            value = item(value, name);
        }
        return value;
    }

    private Object ownAttribute(Object of, String name) {
        if (of instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (of instanceof String text) {
            return StringMethods.has(name)
                    ? (Callable) arguments -> StringMethods.call(name, text, arguments, budget)
                    : missing(of, name);
        }
        if (of instanceof Namespace namespace) {
            return namespace.attributes().getOrDefault(name, missing(of, name));
        }
        if (of instanceof Loop loop) {
            return loop.attribute(name, operators);
        }
        if ((of instanceof Map || of instanceof List) && CHANGING.contains(name)) {
            return new Undefined("\"" + name + "\" would change " + Values.typeName(of)
                    + ", which a template must not do: build a new one with +");
        }
        if (of instanceof Map) {
            return dictMethod(Values.map(of), name);
        }
        if (Values.isSequence(of)) {
            return sequenceMethod(Values.sequence(of), name);
        }
        return missing(of, name);
    }

    private Object dictMethod(Map<Object, Object> map, String name) {
        return switch (name) {
            case "items" -> (Callable) arguments -> items(map);
            case "keys" -> (Callable) arguments -> Values.iterate(map, budget);
            case "values" -> (Callable) arguments -> budget.made(new ArrayList<>(map.values()));
            case "get" ->
                (Callable) arguments -> {
                    Object key = Values.key(arguments.require(0, "key"));
                    return map.containsKey(key) ? map.get(key) : arguments.get(1, "default", null);
                };
            default -> missing(map, name);
        };
    }

    List<Object> items(Map<Object, Object> map) {
        budget.elements(map.size());
        List<Object> items = new ArrayList<>();
        map.forEach((key, value) -> items.add(Tuple.of(key, value)));
        return items;
    }

    private Object sequenceMethod(List<Object> elements, String name) {
        return switch (name) {
            case "count" ->
                (Callable) arguments -> {
                    Object wanted = arguments.require(0, "value");
                    return elements.stream()
                            .filter(element -> operators.equal(element, wanted))
                            .count();
                };
            case "index" ->
                (Callable) arguments -> {
                    Object wanted = arguments.require(0, "value");
                    for (int i = 0; i < elements.size(); i++) {
                        if (operators.equal(elements.get(i), wanted)) {
                            return (long) i;
                        }
                    }
                    throw new TemplateException(Text.repr(wanted, budget) + " is not in the list");
                };
            default -> missing(elements, name);
        };
    }

    private Object at(Object of, long position) {
        long length = Values.length(of);
        long index = position < 0 ? position + length : position;
        if (index < 0 || index >= length) {
            return missing(of, Long.toString(position));
        }
        if (of instanceof String text) {
            budget.chars(text.length());
            return Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) index)));
        }
        return Values.sequence(of).get((int) index);
    }

    /** @param bounds start, stop and step; null where left out */
    Object slice(Object of, List<Object> bounds) {
        if (of instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (!(of instanceof String) && !Values.isSequence(of)) {
            throw new TemplateException(Values.typeName(of) + " cannot be sliced");
        }
        long step = bound(bounds.get(2), 1);
        if (step == 0) {
            throw new TemplateException("the step of a slice must not be zero");
        }
        if (of instanceof String text) {
            budget.chars(text.length());
        }
        long length = Values.length(of);
        long lowest = step > 0 ? 0 : -1;
        long highest = step > 0 ? length : length - 1;
        long start = clamp(bound(bounds.get(0), step > 0 ? 0 : Long.MAX_VALUE), length, lowest, highest);
        long stop = bounds.get(1) == null
                ? (step > 0 ? length : -1)
                : clamp(bound(bounds.get(1), 0), length, lowest, highest);
        if (of instanceof String text && step == 1) {
            int from = text.offsetByCodePoints(0, (int) start);
            return text.substring(from, text.offsetByCodePoints(from, (int) Math.max(0, stop - start)));
        }
        List<Object> elements = Values.iterate(of, budget);
        List<Object> slice = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            slice.add(elements.get((int) i));
            if (Math.abs(step) > length) {
                break;
            }
        }
        if (of instanceof String) {
            StringBuilder text = new StringBuilder();
            slice.forEach(text::append);
            return text.toString();
        }
        return of instanceof Tuple ? new Tuple(slice) : slice;
    }

    private static long bound(Object value, long fallback) {
        if (value == null) {
            return fallback;
        }
        if (value instanceof Long || value instanceof Boolean) {
            return Numbers.integer(value);
        }
        throw new TemplateException("a slice's bounds must be integers, found " + Values.typeName(value));
    }

    private static long clamp(long bound, long length, long lowest, long highest) {
        long fromStart = bound < 0 ? bound + length : bound;
        return Math.max(lowest, Math.min(highest, fromStart));
    }

    private static Undefined missing(Object of, String name) {
        return new Undefined(Values.typeName(of) + " has no attribute or item \"" + name + "\"");
    }
}
