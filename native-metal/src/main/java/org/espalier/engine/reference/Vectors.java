package org.espalier.engine.reference;

import org.espalier.engine.EngineException;

/** Loops over floats that several ops share. */
final class Vectors {

    private Vectors() {}

    /** Zeros for [rows, width], which must fit in one Java array, as bytes too. */
    static float[] zeros(int rows, int width) {
        long count = (long) rows * width;
        if (count > Integer.MAX_VALUE / Float.BYTES) {
            throw new EngineException("a step of " + rows + " rows x " + width
                    + " columns does not fit one array: send fewer rows a step");
        }
        return new float[(int) count];
    }

    /** Sum of a[aAt + i] * b[bAt + i]; four partial sums, so that the processor need not wait for each addition. */
    static float dot(float[] a, int aAt, float[] b, int bAt, int count) {
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        int i = 0;
        for (; i <= count - 4; i += 4) {
            sum0 += a[aAt + i] * b[bAt + i];
            sum1 += a[aAt + i + 1] * b[bAt + i + 1];
            sum2 += a[aAt + i + 2] * b[bAt + i + 2];
            sum3 += a[aAt + i + 3] * b[bAt + i + 3];
        }
        for (; i < count; i++) {
            sum0 += a[aAt + i] * b[bAt + i];
        }
        return sum0 + sum1 + (sum2 + sum3);
    }

    /** into[intoAt + i] += factor * a[aAt + i]. */
    static void addScaled(float factor, float[] a, int aAt, float[] into, int intoAt, int count) {
        for (int i = 0; i < count; i++) {
            into[intoAt + i] += factor * a[aAt + i];
        }
    }

    /** Replaces the first {@code count} values by their softmax. */
    static void softmax(float[] x, int count) {
        float greatest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            greatest = Math.max(greatest, x[i]);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            x[i] = (float) Math.exp(x[i] - greatest);
            sum += x[i];
        }
        for (int i = 0; i < count; i++) {
            x[i] /= (float) sum;
        }
    }

    static float sigmoid(float x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }

    /** The approximation by a hyperbolic tangent. */
    static float gelu(float x) {
        double inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
        return (float) (0.5 * x * (1 + Math.tanh(inner)));
    }

    static float silu(float x) {
        return x * sigmoid(x);
    }

    /** Index of the greatest value, the first of a tie. */
    static int greatest(float[] x) {
        int best = 0;
        for (int i = 1; i < x.length; i++) {
            if (x[i] > x[best]) {
                best = i;
            }
        }
        return best;
    }
}
