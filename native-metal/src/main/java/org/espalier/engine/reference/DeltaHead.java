package org.espalier.engine.reference;

import java.util.Arrays;
import org.espalier.program.GatedDeltaRule;

/** One value head of {@link GatedDeltaRule}, chunk by chunk; the names are the op's. A chunk of one row is the recurrent form. */
final class DeltaHead {

    private final GatedDeltaRule op;
    private final Slots slots;
    private final int head;
    private final double rate;
    private final float dtBias;
    private final int keyWidth;
    private final int valueWidth;

    DeltaHead(GatedDeltaRule op, int head, float rate, float dtBias, Slots slots) {
        this.op = op;
        this.slots = slots;
        this.head = head;
        this.rate = op.rate() instanceof GatedDeltaRule.Rate.Log ? Math.exp(rate) : -rate;
        this.dtBias = dtBias;
        this.keyWidth = op.keyWidth();
        this.valueWidth = op.valueWidth();
    }

    /**
     * @param first row of the chunk
     * @param state [Hv, key width, value width], before the chunk and then after it
     */
    void chunk(int first, int rows, float[] state) {
        int at = head * keyWidth * valueWidth;
        float[] out = slots.array(op.out());
        float[][] k = new float[rows][];
        float[][] u = new float[rows][];
        double[] logs = new double[rows]; // of G_i
        for (int i = 0; i < rows; i++) {
            int row = first + i;
            logs[i] = (i == 0 ? 0 : logs[i - 1]) + logDecay(row);
            float[] kept = kept(logs, i);
            float before = (float) Math.exp(logs[i]);
            float[] q = unit(slots.array(op.q()), keyAt(slots.offset(op.q(), row)), 1 / Math.sqrt(keyWidth));
            k[i] = unit(slots.array(op.k()), keyAt(slots.offset(op.k(), row)), 1);
            u[i] = new float[valueWidth];
            addProduct(-before, state, at, k[i], u[i], 0);
            for (int j = 0; j < i; j++) {
                float share = kept[j] * Vectors.dot(k[i], 0, k[j], 0, keyWidth);
                Vectors.addScaled(-share, u[j], 0, u[i], 0, valueWidth);
            }
            correct(row, u[i]);
            int o = slots.offset(op.out(), row) + head * valueWidth;
            Arrays.fill(out, o, o + valueWidth, 0);
            addProduct(before, state, at, q, out, o);
            for (int j = 0; j <= i; j++) {
                float share = kept[j] * Vectors.dot(q, 0, k[j], 0, keyWidth);
                Vectors.addScaled(share, u[j], 0, out, o, valueWidth);
            }
        }
        update(state, at, k, u, logs);
    }

    /** The logarithm of g. */
    private double logDecay(int row) {
        float x = slots.array(op.decay())[slots.offset(op.decay(), row) + head] + dtBias;
        double softplus = x > 20 ? x : Math.log1p(Math.exp(x)); // beyond 20 they are the same float
        return -rate * softplus;
    }

    /** G_i / G_j for j up to i. */
    private static float[] kept(double[] logs, int i) {
        float[] kept = new float[i + 1];
        for (int j = 0; j <= i; j++) {
            kept[j] = (float) Math.exp(logs[i] - logs[j]);
        }
        return kept;
    }

    private int keyAt(int offset) {
        return offset + op.keyHead().get(head) * keyWidth;
    }

    /** x, made this long. */
    private float[] unit(float[] x, int at, double length) {
        double squares = 0;
        for (int i = 0; i < keyWidth; i++) {
            squares += (double) x[at + i] * x[at + i];
        }
        float factor = (float) (length / Math.sqrt(squares + GatedDeltaRule.EPS));
        float[] unit = new float[keyWidth];
        for (int i = 0; i < keyWidth; i++) {
            unit[i] = x[at + i] * factor;
        }
        return unit;
    }

    /** into += factor Sᵀx. */
    private void addProduct(float factor, float[] state, int at, float[] x, float[] into, int intoAt) {
        for (int row = 0; row < keyWidth; row++) {
            Vectors.addScaled(factor * x[row], state, at + row * valueWidth, into, intoAt, valueWidth);
        }
    }

    /** u = sigmoid(beta) (v + u). */
    private void correct(int row, float[] u) {
        float beta = Vectors.sigmoid(slots.array(op.beta())[slots.offset(op.beta(), row) + head]);
        int v = slots.offset(op.v(), row) + head * valueWidth;
        for (int c = 0; c < valueWidth; c++) {
            u[c] = beta * (slots.array(op.v())[v + c] + u[c]);
        }
    }

    /** S = G S + sum over j of G / G_j k_j u_jᵀ, with G of the last row. */
    private void update(float[] state, int at, float[][] k, float[][] u, double[] logs) {
        float[] kept = kept(logs, logs.length - 1);
        float before = (float) Math.exp(logs[logs.length - 1]);
        for (int row = 0; row < keyWidth; row++) {
            int stored = at + row * valueWidth;
            for (int c = 0; c < valueWidth; c++) {
                state[stored + c] *= before;
            }
            for (int j = 0; j < k.length; j++) {
                Vectors.addScaled(kept[j] * k[j][row], u[j], 0, state, stored, valueWidth);
            }
        }
    }
}
