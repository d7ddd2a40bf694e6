package org.espalier.template;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What can stand after {@code is}. */
final class Tests {

    private interface Test {
        boolean holds(Object value, Arguments arguments, Operators operators);
    }

    private static final Map<String, Test> TESTS = Map.ofEntries(
            Map.entry("defined", (value, a, o) -> !(value instanceof Undefined)),
            Map.entry("undefined", (value, a, o) -> value instanceof Undefined),
            Map.entry("none", (value, a, o) -> value == null),
            Map.entry("true", (value, a, o) -> Boolean.TRUE.equals(value)),
            Map.entry("false", (value, a, o) -> Boolean.FALSE.equals(value)),
            Map.entry("boolean", (value, a, o) -> value instanceof Boolean),
            Map.entry("string", (value, a, o) -> value instanceof String),
            Map.entry("number", (value, a, o) -> Values.isNumber(value)),
            Map.entry("integer", (value, a, o) -> value instanceof Long),
            Map.entry("float", (value, a, o) -> value instanceof Double),
            Map.entry("mapping", (value, a, o) -> value instanceof Map),
            Map.entry("sequence", (value, a, o) -> isIterable(value)),
            Map.entry("iterable", (value, a, o) -> isIterable(value)),
            Map.entry("callable", (value, a, o) -> value instanceof Callable),
            Map.entry("odd", (value, a, o) -> Math.floorMod(integer(value), 2) == 1),
            Map.entry("even", (value, a, o) -> Math.floorMod(integer(value), 2) == 0),
            Map.entry(
                    "divisibleby",
                    (value, a, o) ->
                            Numbers.compare(Numbers.binary("%", value(value), value(a.require(0, "num"))), 0L) == 0),
            Map.entry(
                    "lower",
                    (value, a, o) -> value instanceof String text && text.equals(text.toLowerCase(Locale.ROOT))),
            Map.entry(
                    "upper",
                    (value, a, o) -> value instanceof String text && text.equals(text.toUpperCase(Locale.ROOT))),
            Map.entry("in", (value, a, o) -> o.compare("in", value, a.require(0, "seq"))),
            Map.entry("sameas", (value, a, o) -> same(value, a.require(0, "other"))),
            comparison("eq", "=="),
            comparison("equalto", "=="),
            comparison("==", "=="),
            comparison("ne", "!="),
            comparison("!=", "!="),
            comparison("lt", "<"),
            comparison("lessthan", "<"),
            comparison("<", "<"),
            comparison("le", "<="),
            comparison("<=", "<="),
            comparison("gt", ">"),
            comparison("greaterthan", ">"),
            comparison(">", ">"),
            comparison("ge", ">="),
            comparison(">=", ">="));

    private final Operators operators;

    Tests(Operators operators) {
        this.operators = operators;
    }

    boolean apply(String name, Object value, Arguments arguments) {
        Test test = TESTS.get(name);
        if (test == null) {
            throw new TemplateException("there is no test \"" + name + "\"");
        }
        return test.holds(value, arguments, operators);
    }

    private static Map.Entry<String, Test> comparison(String name, String operator) {
        return Map.entry(
                name,
                (value, arguments, operators) -> operators.compare(operator, value, arguments.require(0, "other")));
    }

    private static boolean isIterable(Object value) {
        return value instanceof String
                || value instanceof Map
                || value instanceof List
                || value instanceof Tuple
                || value instanceof Undefined;
    }

    private static boolean same(Object left, Object right) {
        return left == right || left instanceof Boolean && left.equals(right);
    }

    private static long integer(Object value) {
        if (value instanceof Long number) {
            return number;
        }
        throw new TemplateException("an integer is needed here, found " + Values.typeName(value));
    }

    private static Object value(Object number) {
        if (Values.isNumber(number)) {
            return number;
        }
        throw new TemplateException("a number is needed here, found " + Values.typeName(number));
    }
}
