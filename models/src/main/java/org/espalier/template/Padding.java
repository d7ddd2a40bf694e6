package org.espalier.template;

/** Python's {@code ljust}, {@code rjust}, {@code center} and {@code zfill}. */
final class Padding {

    /** Where characters are added. */
    enum Side {
        LEFT,
        RIGHT,
        BOTH
    }

    private Padding() {}

    static String pad(String text, Arguments arguments, Budget budget, Side side) {
        String fill = arguments.text(1, "fillchar", " ");
        if (fill == null || Values.length(fill) != 1) {
            throw new TemplateException("a text is filled up with one character, found \"" + fill + "\"");
        }
        int width = width(arguments);
        int missing = missing(text, width, budget);
        int left = switch (side) {
            case LEFT -> missing;
            case RIGHT -> 0;
            case BOTH -> missing / 2 + (missing & width & 1); // Python's own rounding
        };
        return fill.repeat(left) + text + fill.repeat(missing - left);
    }

    static String zeros(String text, Arguments arguments, Budget budget) {
        int missing = missing(text, width(arguments), budget);
        int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
    }

    private static int width(Arguments arguments) {
        arguments.require(0, "width");
        return arguments.integer(0, "width", 0);
    }

    private static int missing(String text, int width, Budget budget) {
        int missing = (int) Math.max(0, width - Values.length(text));
        budget.grow(text.length(), 2L * missing);
        return missing;
    }
}
