package org.espalier.engine;

import java.util.Arrays;

/**
 * A value computed in double, and its size: the sum of the absolute values of all that was added up for it, so what it would be had nothing
 * cancelled. Rounding errors are shares of the size.
 */
record Expected(double value, double size) {

    static final Expected ZERO = new Expected(0, 0);

    /** A number that is given. */
    static Expected of(double value) {
        return new Expected(value, Math.abs(value));
    }

    static Expected[] of(float[] values) {
        Expected[] all = new Expected[values.length];
        Arrays.setAll(all, i -> of(values[i]));
        return all;
    }

    static Expected[][] of(float[][] rows) {
        return Arrays.stream(rows).map(Expected::of).toArray(Expected[][]::new);
    }

    Expected plus(Expected other) {
        return new Expected(value + other.value, size + other.size);
    }

    Expected plus(double number) {
        return plus(of(number));
    }

    Expected times(double factor) {
        return new Expected(value * factor, size * Math.abs(factor));
    }

    /** Both factors have errors. */
    Expected times(Expected other) {
        double product = value * other.value;
        return new Expected(product, Math.abs(product) + size * Math.abs(other.value) + Math.abs(value) * other.size);
    }

    /** f of this value, where {@code steepest} is the greatest slope of f. */
    Expected map(double result, double steepest) {
        return new Expected(result, Math.abs(result) + steepest * size);
    }

    static Expected dot(float[] a, Expected[] x) {
        Expected sum = ZERO;
        for (int i = 0; i < x.length; i++) {
            sum = sum.plus(x[i].times(a[i]));
        }
        return sum;
    }

    /** W x. */
    static Expected[] multiply(float[][] matrix, Expected[] x) {
        return Arrays.stream(matrix).map(row -> dot(row, x)).toArray(Expected[]::new);
    }

    static Expected[] multiply(float[][] matrix, float[] x) {
        return multiply(matrix, of(x));
    }

    static Expected[] plus(Expected[] a, float[] b) {
        Expected[] sums = new Expected[a.length];
        Arrays.setAll(sums, i -> a[i].plus(b[i]));
        return sums;
    }

    /** silu(g) u; silu is nowhere steeper than 1.1. */
    static Expected gated(Expected g, Expected u) {
        return g.map(g.value() / (1 + Math.exp(-g.value())), 1.1).times(u);
    }

    /** down (silu(gate x) up x). */
    static Expected[] mlp(float[][] gate, float[][] up, float[][] down, float[] x) {
        Expected[] g = multiply(gate, x);
        Expected[] u = multiply(up, x);
        Expected[] h = new Expected[g.length];
        Arrays.setAll(h, i -> gated(g[i], u[i]));
        return multiply(down, h);
    }

    /** An error of a score is the same error of its probability, as a share; the others' errors come by the sum that divides it. */
    static Expected[] softmax(Expected[] scores) {
        double sum = 0;
        double greatest = 0;
        for (Expected score : scores) {
            sum += Math.exp(score.value());
            greatest = Math.max(greatest, score.size());
        }
        Expected[] shares = new Expected[scores.length];
        for (int s = 0; s < shares.length; s++) {
            double share = Math.exp(scores[s].value()) / sum;
            shares[s] = new Expected(share, share * (1 + 2 * greatest));
        }
        return shares;
    }
}
