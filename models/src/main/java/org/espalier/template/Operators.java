package org.espalier.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Arithmetic, comparison and membership, as Python does them on these types. */
final class Operators {

    private final Budget budget;

    Operators(Budget budget) {
        this.budget = budget;
    }

    Object binary(String operator, Object left, Object right) {
        if (left instanceof Markup || right instanceof Markup) {
            return marked(operator, left, right);
        }
        defined(left);
        defined(right);
        if (operator.equals("%") && left instanceof String format) {
            return PercentFormat.format(format, right, budget);
        }
        if (operator.equals("+") && left instanceof String a && right instanceof String b) {
            budget.chars((long) a.length() + b.length());
            return a + b;
        }
        if (operator.equals("+") && Values.isSequence(left) && left.getClass() == right.getClass()
                || operator.equals("+") && left instanceof List && right instanceof List) {
            return join(left, Values.sequence(left), Values.sequence(right));
        }
        if (operator.equals("*") && !Values.isNumber(left) && right instanceof Long count) {
            return repeat(left, count);
        }
        if (operator.equals("*") && left instanceof Long count && !Values.isNumber(right)) {
            return repeat(right, count);
        }
        if (Values.isNumber(left) && Values.isNumber(right)) {
            return Numbers.binary(operator, left, right);
        }
        throw new TemplateException("\"" + operator + "\" does not work on " + Values.typeName(left) + " and "
                + Values.typeName(right) + ": convert one of them");
    }

    private Object marked(String operator, Object left, Object right) {
        boolean joins = operator.equals("+") && isText(left) && isText(right);
        return joins
                ? new Markup((String) binary("+", escaped(left), escaped(right)))
                : binary(operator, Markup.plain(left), Markup.plain(right));
    }

    private static boolean isText(Object value) {
        return value instanceof String || value instanceof Markup;
    }

    private String escaped(Object value) {
        return value instanceof Markup markup ? markup.text() : Markup.escape((String) value, budget);
    }

    boolean compare(String operator, Object left, Object right) {
        return switch (operator) {
            case "==" -> equal(left, right);
            case "!=" -> !equal(left, right);
            case "in" -> contains(right, left);
            case "not in" -> !contains(right, left);
            case "<" -> order(left, right) < 0;
            case "<=" -> order(left, right) <= 0;
            case ">" -> order(left, right) > 0;
            default -> order(left, right) >= 0;
        };
    }

    boolean equal(Object left, Object right) {
        if (left == right) {
            return true;
        }
        budget.enter();
        boolean equal;
        if (Values.isNumber(left) && Values.isNumber(right)) {
            equal = Numbers.compare(left, right) == 0;
        } else if (Values.isSequence(left) && Values.isSequence(right)) {
            equal = left instanceof Tuple == right instanceof Tuple
                    && equalElements(Values.sequence(left), Values.sequence(right));
        } else if (left instanceof Map && right instanceof Map) {
            equal = equalEntries(Values.map(left), Values.map(right));
        } else if (left instanceof String text) {
            equal = right instanceof String other && equalTexts(text, other);
        } else {
            equal = left instanceof Undefined && right instanceof Undefined;
        }
        budget.leave();
        return equal;
    }

    private boolean equalTexts(String left, String right) {
        if (left.length() != right.length()) {
            return false;
        }
        budget.chars(left.length());
        return left.equals(right);
    }

    private boolean equalElements(List<Object> left, List<Object> right) {
        boolean equal = left.size() == right.size();
        for (int i = 0; equal && i < left.size(); i++) {
            equal = equal(left.get(i), right.get(i));
        }
        return equal;
    }

    private boolean equalEntries(Map<Object, Object> left, Map<Object, Object> right) {
        if (left.size() != right.size()) {
            return false;
        }
        for (Map.Entry<Object, Object> entry : left.entrySet()) {
            if (!right.containsKey(entry.getKey()) || !equal(entry.getValue(), right.get(entry.getKey()))) {
                return false;
            }
        }
        return true;
    }

    /** Negative, zero or positive; numbers, strings, and lists of them have an order. */
    int order(Object left, Object right) {
        defined(left);
        defined(right);
        if (Values.isNumber(left) && Values.isNumber(right)) {
            return Numbers.compare(left, right);
        }
        if (left instanceof String a && right instanceof String b) {
            budget.chars(Math.min(a.length(), b.length()));
            return Strings.compareCodePoints(a, b);
        }
        if (Values.isSequence(left) && Values.isSequence(right)) {
            return orderElements(Values.sequence(left), Values.sequence(right));
        }
        throw new TemplateException(Values.typeName(left) + " and " + Values.typeName(right) + " have no order");
    }

    private int orderElements(List<Object> left, List<Object> right) {
        budget.enter();
        int order = 0;
        for (int i = 0; order == 0 && i < left.size() && i < right.size(); i++) {
            order = equal(left.get(i), right.get(i)) ? 0 : order(left.get(i), right.get(i));
        }
        budget.leave();
        return order != 0 ? order : Integer.compare(left.size(), right.size());
    }

    boolean contains(Object container, Object element) {
        if (container instanceof String text) {
            if (element instanceof String part) {
                budget.search(text, part);
                return text.contains(part);
            }
            throw new TemplateException("\"in\" a string needs a string, found " + Values.typeName(element));
        }
        if (container instanceof Map<?, ?> map) {
            return map.containsKey(Values.key(element));
        }
        for (Object candidate : Values.iterate(container, budget)) {
            if (equal(candidate, element)) {
                return true;
            }
        }
        return false;
    }

    private Object join(Object kind, List<Object> left, List<Object> right) {
        budget.elements((long) left.size() + right.size());
        List<Object> joined = new ArrayList<>(left);
        joined.addAll(right);
        return kind instanceof Tuple ? new Tuple(joined) : joined;
    }

    private Object repeat(Object value, long count) {
        int times = (int) Math.max(0, Math.min(Integer.MAX_VALUE, count));
        if (value instanceof String text) {
            budget.chars((long) text.length() * times);
            return text.repeat(times);
        }
        if (!Values.isSequence(value)) {
            throw new TemplateException(Values.typeName(value) + " cannot be repeated");
        }
        List<Object> elements = Values.sequence(value);
        budget.elements((long) elements.size() * times);
        List<Object> repeated = new ArrayList<>();
        for (int i = 0; i < times && !elements.isEmpty(); i++) {
            repeated.addAll(elements);
        }
        return value instanceof Tuple ? new Tuple(repeated) : repeated;
    }

    private static void defined(Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
    }
}
