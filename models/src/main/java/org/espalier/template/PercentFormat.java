package org.espalier.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;

/** {@code "%s has %d" % (a, b)}: conversions s, r, d, i, f, x and %, with the flags - and 0, a width and a precision. */
final class PercentFormat {

    private static final int MAX_DIGITS = 1000;

    private final String format;
    private final List<Object> values;
    private final Budget budget;
    private final StringBuilder out = new StringBuilder();
    private int position;
    private int used;

    private PercentFormat(String format, List<Object> values, Budget budget) {
        this.format = format;
        this.values = values;
        this.budget = budget;
    }

    static String format(String format, Object values, Budget budget) {
        if (values instanceof Map) {
            throw new TemplateException("\"%\" with a dictionary is not supported: pass a tuple");
        }
        return new PercentFormat(
                        format, values instanceof Tuple tuple ? tuple.elements() : Values.listOf(values), budget)
                .run();
    }

    private String run() {
        while (position < format.length()) {
            char c = format.charAt(position++);
            if (c == '%') {
                conversion();
            } else {
                out.append(c);
            }
        }
        if (used < values.size()) {
            throw new TemplateException("\"%\" got " + values.size() + " values for " + used + " places in the format");
        }
        return budget.made(out.toString());
    }

    private void conversion() {
        boolean left = false;
        boolean zeros = false;
        for (; position < format.length() && "-0".indexOf(format.charAt(position)) >= 0; position++) {
            left |= format.charAt(position) == '-';
            zeros |= format.charAt(position) == '0';
        }
        int width = digits(0);
        int precision = -1;
        if (position < format.length() && format.charAt(position) == '.') {
            position++;
            precision = digits(0);
        }
        char kind = position < format.length() ? format.charAt(position++) : ' ';
        String text = kind == '%' ? "%" : text(kind, precision);
        int missing = Math.max(0, width - (int) Values.length(text));
        budget.grow(out.length(), (long) text.length() + missing);
        if (left) {
            out.append(text).append(" ".repeat(missing));
        } else if (zeros && "dixf".indexOf(kind) >= 0) {
            String sign = text.startsWith("-") ? "-" : "";
            out.append(sign).append("0".repeat(missing)).append(text.substring(sign.length()));
        } else {
            out.append(" ".repeat(missing)).append(text);
        }
    }

    private String text(char kind, int precision) {
        if (used >= values.size()) {
            throw new TemplateException("\"%\" got " + values.size() + " values, the format has more places");
        }
        Object value = values.get(used++);
        return switch (kind) {
            case 's' -> cut(Text.of(value, budget), precision);
            case 'r' -> cut(Text.repr(value, budget), precision);
            case 'd', 'i' -> Long.toString((long) number(value));
            case 'x' -> Long.toString((long) number(value), 16);
            case 'f' -> fixed(number(value), precision < 0 ? 6 : precision);
            default -> throw new TemplateException("the conversion %" + kind + " is not supported: use %s, %d or %f");
        };
    }

    private static String cut(String text, int precision) {
        return precision < 0 || precision >= Values.length(text)
                ? text
                : text.substring(0, text.offsetByCodePoints(0, precision));
    }

    private static double number(Object value) {
        if (!Values.isNumber(value)) {
            throw new TemplateException("a number is needed for the format, found " + Values.typeName(value));
        }
        return Numbers.real(value);
    }

    private static String fixed(double value, int precision) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return Text.number(value);
        }
        return new BigDecimal(value).setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
    }

    private int digits(int fallback) {
        int number = fallback;
        while (position < format.length() && format.charAt(position) >= '0' && format.charAt(position) <= '9') {
            number = Math.min(MAX_DIGITS, number * 10 + format.charAt(position++) - '0');
        }
        return number;
    }
}
