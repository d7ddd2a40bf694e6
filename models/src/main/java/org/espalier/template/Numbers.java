package org.espalier.template;

/** Arithmetic on integers (64 bits, overflow is an error), floats and booleans (which count as 0 and 1). */
final class Numbers {

    private Numbers() {}

    static Object binary(String operator, Object left, Object right) {
        try {
            boolean integers = !(left instanceof Double) && !(right instanceof Double);
            return integers && !operator.equals("/")
                    ? integers(operator, integer(left), integer(right))
                    : floats(operator, real(left), real(right));
        } catch (ArithmeticException e) {
            throw new TemplateException("the result of \"" + operator + "\" does not fit into 64 bits");
        }
    }

    static Object negate(Object value) {
        return value instanceof Double number ? (Object) (-number) : binary("-", 0L, value);
    }

    static int compare(Object left, Object right) {
        return left instanceof Double || right instanceof Double
                ? Double.compare(real(left) + 0.0, real(right) + 0.0) // -0.0 equals 0.0
                : Long.compare(integer(left), integer(right));
    }

    static long integer(Object value) {
        return value instanceof Boolean bool ? (bool ? 1 : 0) : ((Number) value).longValue();
    }

    static double real(Object value) {
        return value instanceof Double number ? number : integer(value);
    }

    private static Object integers(String operator, long left, long right) {
        return switch (operator) {
            case "+" -> Math.addExact(left, right);
            case "-" -> Math.subtractExact(left, right);
            case "*" -> Math.multiplyExact(left, right);
            case "//" -> Math.floorDiv(left, notZero(right));
            case "%" -> Math.floorMod(left, notZero(right));
            default -> right < 0 ? (Object) Math.pow(left, right) : (Object) power(left, right);
        };
    }

    private static Object floats(String operator, double left, double right) {
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / notZero(right);
            case "//" -> Math.floor(left / notZero(right));
            case "%" -> left - Math.floor(left / notZero(right)) * right;
            default -> Math.pow(left, right);
        };
    }

    /** By squaring: the loop is as long as the exponent has bits. */
    private static long power(long base, long exponent) {
        long result = 1;
        long square = base;
        for (long bits = exponent; bits > 0; bits >>= 1) {
            if ((bits & 1) == 1) {
                result = Math.multiplyExact(result, square);
            }
            if (bits > 1) {
                square = Math.multiplyExact(square, square);
            }
        }
        return result;
    }

    private static long notZero(long divisor) {
        notZero((double) divisor);
        return divisor;
    }

    private static double notZero(double divisor) {
        if (divisor == 0) {
            throw new TemplateException("it divides by zero");
        }
        return divisor;
    }
}
