package org.espalier.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.regex.Pattern;

/** Filters that give numbers. */
final class NumberFilters {

    private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]+");

    /** Python's own limit for reading an integer. */
    private static final int MAX_DIGITS = 4300;

    private final Budget budget;
    private final Access access;

    NumberFilters(Budget budget, Access access) {
        this.budget = budget;
        this.access = access;
    }

    void addTo(Map<String, Filters.Filter> filters) {
        filters.put("int", NumberFilters::toInteger);
        filters.put("float", NumberFilters::toFloat);
        filters.put(
                "abs", (input, arguments) -> Numbers.compare(number(input), 0L) < 0 ? Numbers.negate(input) : input);
        filters.put("round", NumberFilters::round);
        filters.put("sum", this::sum);
    }

    private static Object toInteger(Object input, Arguments arguments) {
        Object fallback = arguments.get(0, "default", 0L);
        try {
            if (input instanceof Double number) {
                return Double.isNaN(number) || Double.isInfinite(number) ? fallback : (Object) number.longValue();
            }
            if (Values.isNumber(input)) {
                return Numbers.integer(input);
            }
            return input instanceof String text ? parsed(Strings.strip(text), fallback) : fallback;
        } catch (NumberFormatException e) {
            return fallback;
        }
    }

    /** An integer, or else the integer part of a float. */
    private static Object parsed(String text, Object fallback) {
        if (text.length() > MAX_DIGITS) {
            return fallback;
        }
        if (INTEGER.matcher(text).matches()) {
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException e) {
                throw new TemplateException("the number " + text + " does not fit into 64 bits");
            }
        }
        double number = real(text);
        return Double.isNaN(number) || Double.isInfinite(number) ? fallback : (Object) (long) number;
    }

    /** Java reads 1d, 1f and 0x1p0 too, Python does not. */
    private static double real(String text) {
        if (text.isEmpty() || "dDfF".indexOf(text.charAt(text.length() - 1)) >= 0 || text.contains("x")) {
            throw new NumberFormatException(text);
        }
        return Double.parseDouble(text);
    }

    private static Object toFloat(Object input, Arguments arguments) {
        Object fallback = arguments.get(0, "default", 0.0);
        try {
            if (Values.isNumber(input)) {
                return Numbers.real(input);
            }
            return input instanceof String text ? (Object) real(Strings.strip(text)) : fallback;
        } catch (NumberFormatException e) {
            return fallback;
        }
    }

    private static Object round(Object input, Arguments arguments) {
        double value = Numbers.real(number(input));
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return value;
        }
        int precision = Math.max(-20, Math.min(20, arguments.integer(0, "precision", 0)));
        RoundingMode mode = switch (arguments.text(1, "method", "common")) {
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> RoundingMode.HALF_EVEN;
        };
        return new BigDecimal(value).setScale(precision, mode).doubleValue();
    }

    private Object sum(Object input, Arguments arguments) {
        Object sum = arguments.get(Integer.MAX_VALUE, "start", 0L);
        Object attribute = arguments.get(0, "attribute", null);
        for (Object element : Values.iterate(input, budget)) {
            Object addend = attribute == null ? element : access.path(element, attribute);
            sum = Numbers.binary("+", number(sum), number(addend));
        }
        return sum;
    }

    private static Object number(Object value) {
        if (Values.isNumber(value)) {
            return value;
        }
        throw new TemplateException("a number is needed here, found " + Values.typeName(value));
    }
}
