package org.espalier.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;

/** Filters that give numbers. */
final class NumberFilters {

    private final Budget budget;

    NumberFilters(Budget budget) {
        this.budget = budget;
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
            return input instanceof String text ? (Object) new BigDecimal(Strings.strip(text)).longValue() : fallback;
        } catch (NumberFormatException e) {
            return fallback;
        }
    }

    private static Object toFloat(Object input, Arguments arguments) {
        Object fallback = arguments.get(0, "default", 0.0);
        try {
            if (Values.isNumber(input)) {
                return Numbers.real(input);
            }
            return input instanceof String text ? (Object) Double.valueOf(Strings.strip(text)) : fallback;
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
        for (Object element : Values.iterate(input, budget)) {
            sum = Numbers.binary("+", number(sum), number(element));
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
