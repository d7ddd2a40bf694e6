package org.espalier.template;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/** How values print: as Python's {@code str} and {@code repr}. */
final class Text {

    private final StringBuilder out = new StringBuilder();
    private final Budget budget;

    private Text(Budget budget) {
        this.budget = budget;
    }

    static String of(Object value, Budget budget) {
        if (value instanceof String text) {
            return text;
        }
        return value instanceof Undefined ? "" : repr(value, budget);
    }

    /** As {@link #of}, with strings quoted. */
    static String repr(Object value, Budget budget) {
        Text text = new Text(budget);
        text.append(value);
        return budget.made(text.out.toString());
    }

    private void append(Object value) {
        budget.enter();
        if (value instanceof String text) {
            quote(text);
        } else if (value == null) {
            out.append("None");
        } else if (value instanceof Boolean bool) {
            out.append(bool ? "True" : "False");
        } else if (value instanceof Double number) {
            out.append(number(number));
        } else if (value instanceof Map) {
            appendMap(Values.map(value));
        } else if (value instanceof Tuple tuple) {
            appendAll("(", tuple.elements(), tuple.elements().size() == 1 ? ",)" : ")");
        } else if (value instanceof List) {
            appendAll("[", Values.sequence(value), "]");
        } else if (value instanceof Long) {
            out.append(value);
        } else if (value instanceof Undefined) {
            out.append("Undefined");
        } else {
            out.append('<').append(Values.typeName(value)).append('>');
        }
        budget.leave();
    }

    private void appendAll(String open, List<Object> elements, String close) {
        out.append(open);
        String separator = "";
        for (Object element : elements) {
            out.append(separator);
            append(element);
            separator = ", ";
        }
        out.append(close);
    }

    private void appendMap(Map<Object, Object> map) {
        out.append('{');
        String separator = "";
        for (Map.Entry<Object, Object> entry : map.entrySet()) {
            out.append(separator);
            append(entry.getKey());
            out.append(": ");
            append(entry.getValue());
            separator = ", ";
        }
        out.append('}');
    }

    private void quote(String text) {
        budget.grow(out.length(), text.length());
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> {
            if (c == quote || c == '\\') {
                out.append('\\').appendCodePoint(c);
            } else if (c == '\n') {
                out.append("\\n");
            } else if (c == '\r') {
                out.append("\\r");
            } else if (c == '\t') {
                out.append("\\t");
            } else if (Character.isISOControl(c) || c == 0xA0) {
                out.append(c < 16 ? "\\x0" : "\\x").append(Integer.toHexString(c));
            } else {
                out.appendCodePoint(c);
            }
        });
        out.append(quote);
    }

    /** The shortest digits that name the number; an exponent from 1e16 up and below 1e-4. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = digits.precision() - digits.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = digits.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String unscaled = digits.unscaledValue().abs().toString();
        String fraction = unscaled.length() > 1 ? "." + unscaled.substring(1) : "";
        return (value < 0 ? "-" : "")
                + unscaled.charAt(0)
                + fraction
                + String.format("e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
}
