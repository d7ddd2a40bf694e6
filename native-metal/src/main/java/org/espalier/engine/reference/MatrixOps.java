package org.espalier.engine.reference;

import org.espalier.engine.Cancel;
import org.espalier.engine.EngineException;
import org.espalier.program.Activation;
import org.espalier.weights.Matrix;

/**
 * Products with weights. A stored row is decoded once for all rows of the step. In a step of one row it is not decoded at all, if its
 * format has a dot product.
 */
final class MatrixOps {

    private static final ThreadLocal<float[]> ROW = ThreadLocal.withInitial(() -> new float[0]);

    private final Parallel parallel;

    MatrixOps(Parallel parallel) {
        this.parallel = parallel;
    }

    /** Rows of floats inside an array: row t begins at {@code at + t * stride}. */
    record Rows(float[] values, int at, int stride) {
        int row(int t) {
            return at + t * stride;
        }
    }

    /**
     * out[t][r] = W[r] · in[t] for t in {@code rows}.
     *
     * @param index which of the weight's matrices
     * @param rows the rows of {@code in} and {@code out} to compute
     */
    void multiply(Matrix matrix, int index, Rows in, Rows out, int[] rows, Cancel cancel) {
        int columns = matrix.weight().columns();
        if (matrix.weight().transposed()) {
            float[][] whole = matrix.decode(index);
            parallel.forRange(whole.length, cancel, (from, to) -> {
                for (int r = from; r < to; r++) {
                    dots(whole[r], columns, in, out, rows, r);
                }
            });
            return;
        }
        if (rows.length == 1 && matrix.hasDot()) {
            parallel.forRange(matrix.weight().rows(), cancel, (from, to) -> {
                for (int r = from; r < to; r++) {
                    out.values()[out.row(rows[0]) + r] = matrix.dotRow(index, r, in.values(), in.row(rows[0]));
                }
            });
            return;
        }
        parallel.forRange(matrix.weight().rows(), cancel, (from, to) -> {
            float[] row = scratch(columns);
            for (int r = from; r < to; r++) {
                matrix.decodeRow(index, r, row);
                dots(row, columns, in, out, rows, r);
            }
        });
    }

    private static void dots(float[] row, int columns, Rows in, Rows out, int[] rows, int r) {
        for (int t : rows) {
            out.values()[out.row(t) + r] = Vectors.dot(row, 0, in.values(), in.row(t), columns);
        }
    }

    static float[] scratch(int length) {
        float[] row = ROW.get();
        if (row.length < length) {
            row = new float[length];
            ROW.set(row);
        }
        return row;
    }

    /** out[t][r] = W[r] · in[t] + bias[r] for t in {@code rows}. */
    void project(Dense dense, int index, Rows in, Rows out, int[] rows, Cancel cancel) {
        multiply(dense.weight, index, in, out, rows, cancel);
        if (dense.bias != null) {
            float[] bias = dense.bias.vector(index);
            for (int t : rows) {
                Vectors.addScaled(1, bias, 0, out.values(), out.row(t), bias.length);
            }
        }
    }

    /** One gated MLP of expert {@code index}: out[t] = down (activation(gate in[t], up in[t])). */
    void gatedMlp(Mlp mlp, int index, Rows in, Rows out, int[] rows, Cancel cancel) {
        int width = mlp.gate.weight.weight().rows();
        int all = rows.length == 0 ? 0 : rows[rows.length - 1] + 1;
        Rows gate = new Rows(Vectors.zeros(all, width), 0, width);
        Rows up = new Rows(Vectors.zeros(all, width), 0, width);
        project(mlp.gate, index, in, gate, rows, cancel);
        project(mlp.up, index, in, up, rows, cancel);
        for (int t : rows) {
            for (int i = gate.row(t); i < gate.row(t) + width; i++) {
                gate.values()[i] = activate(mlp.activation, gate.values()[i], up.values()[i]);
            }
        }
        project(mlp.down, index, gate, out, rows, cancel);
    }

    /**
     * W and b of one projection, or of all experts of a layer.
     *
     * @param bias null where there is none
     */
    record Dense(Matrix weight, Matrix bias) {}

    /** The three projections of a gated MLP, or of all experts of a layer. */
    record Mlp(Dense gate, Dense up, Dense down, Activation activation) {}

    private static float activate(Activation activation, float gate, float up) {
        if (activation instanceof Activation.Silu) {
            return gate * Vectors.sigmoid(gate) * up;
        }
        if (activation instanceof Activation.Gelu) {
            return Vectors.gelu(gate) * up;
        }
        if (activation instanceof Activation.ClampedSwiglu clamped) {
            float g = Math.min(gate, clamped.limit());
            float u = Math.max(-clamped.limit(), Math.min(clamped.limit(), up));
            return g * Vectors.sigmoid(clamped.alpha() * g) * (u + 1);
        }
        throw new EngineException("the reference engine has no activation " + activation);
    }
}
