package org.espalier.engine.reference;

import java.util.List;
import org.espalier.engine.Cancel;
import org.espalier.engine.reference.StepRows.Span;
import org.espalier.program.GatedDeltaRule;
import org.espalier.program.ShortConvolution;
import org.espalier.weights.Matrix;

/** What keeps a state instead of rows. */
final class StateOps {

    private final Parallel parallel;

    StateOps(Parallel parallel) {
        this.parallel = parallel;
    }

    /** @param weights [channels, kernel] each; the state is the last rows of x, [kernel - 1, C] */
    void convolve(ShortConvolution op, List<Matrix> weights, Slots slots, StepRows rows) {
        float[] x = slots.array(op.x());
        float[] out = slots.array(op.out());
        int channels = op.x().width();
        int kept = op.kernel() - 1;
        float[] w = taps(weights, channels, op.kernel());
        for (Span span : rows.spans()) {
            float[] before = span.session().state(op.cache()).before();
            float[] after = span.session().state(op.cache()).after();
            for (int t = 0; t < span.count(); t++) {
                int at = slots.offset(op.out(), span.first() + t);
                for (int c = 0; c < channels; c++) {
                    float sum = 0;
                    for (int k = 0; k < op.kernel(); k++) {
                        int row = t - kept + k;
                        float value = row < 0
                                ? before[(row + kept) * channels + c]
                                : x[slots.offset(op.x(), span.first() + row) + c];
                        sum += w[c * op.kernel() + k] * value;
                    }
                    out[at + c] = Vectors.silu(sum);
                }
            }
            for (int k = 0; k < kept; k++) {
                int row = span.count() - kept + k;
                float[] from = row < 0 ? before : x;
                int at = row < 0 ? (row + kept) * channels : slots.offset(op.x(), span.first() + row);
                System.arraycopy(from, at, after, k * channels, channels);
            }
        }
    }

    private static float[] taps(List<Matrix> weights, int channels, int kernel) {
        float[] all = new float[channels * kernel];
        int at = 0;
        for (Matrix matrix : weights) {
            float[] some = matrix.vector(0);
            System.arraycopy(some, 0, all, at, some.length);
            at += some.length;
        }
        return all;
    }

    /** @param rate [Hv], as it is stored */
    void deltaRule(GatedDeltaRule op, float[] rate, float[] dtBias, Slots slots, StepRows rows, Cancel cancel) {
        List<Span> spans = rows.spans();
        parallel.forRange(spans.size() * op.heads(), 1, cancel, (from, to) -> {
            for (int index = from; index < to; index++) {
                int head = index % op.heads();
                DeltaHead delta = new DeltaHead(op, head, rate[head], dtBias[head], slots);
                Span span = spans.get(index / op.heads());
                float[] state = span.session().state(op.cache()).after();
                for (int first = span.first(); first < span.end(); first += GatedDeltaRule.CHUNK) {
                    cancel.check();
                    delta.chunk(first, Math.min(span.end() - first, GatedDeltaRule.CHUNK), state);
                }
            }
        });
    }
}
