package org.espalier.engine.reference;

import java.util.Arrays;
import org.espalier.engine.Cancel;
import org.espalier.program.Attention;
import org.espalier.program.LatentAttention;
import org.espalier.program.Rope;
import org.espalier.program.Rotate;
import org.espalier.program.SelectRows;
import org.espalier.weights.Matrix;

/** Rotary positions, the choice of rows, and both kinds of attention. */
final class AttentionOps {

    private final Parallel parallel;

    AttentionOps(Parallel parallel) {
        this.parallel = parallel;
    }

    void rotate(Rotate op, Slots slots, StepRows rows) {
        float[] x = slots.array(op.x());
        int headWidth = op.x().width() / op.heads();
        Rope rope = op.rope();
        int pairs = rope.frequencies().length;
        for (int t = 0; t < rows.count(); t++) {
            for (int i = 0; i < pairs; i++) {
                double angle = (double) rows.position(t) * rope.frequencies()[i];
                float cos = (float) Math.cos(angle) * rope.attentionFactor();
                float sin = (float) Math.sin(angle) * rope.attentionFactor();
                for (int head = 0; head < op.heads(); head++) {
                    int base = slots.offset(op.x(), t) + head * headWidth + op.from();
                    int a = rope.pairing() == Rope.Pairing.HALF ? base + i : base + 2 * i;
                    int b = rope.pairing() == Rope.Pairing.HALF ? base + i + pairs : base + 2 * i + 1;
                    float first = x[a];
                    float second = x[b];
                    x[a] = first * cos - second * sin;
                    x[b] = second * cos + first * sin;
                }
            }
        }
    }

    /** @param sinks [H], or null */
    void attention(Attention op, float[] sinks, Slots slots, StepRows rows, Cancel cancel) {
        int headWidth = op.q().width() / op.heads();
        int valueWidth = op.valueWidth();
        int kWidth = op.k().width();
        for (int t = 0; t < rows.count(); t++) {
            KvCache cache = rows.cache(t, op.cache());
            float[] row = cache.array(rows.position(t));
            int at = cache.offset(rows.position(t));
            System.arraycopy(slots.array(op.k()), slots.offset(op.k(), t), row, at, kWidth);
            System.arraycopy(
                    slots.array(op.v()),
                    slots.offset(op.v(), t),
                    row,
                    at + kWidth,
                    op.v().width());
        }
        parallel.forRange(rows.count() * op.heads(), 1, cancel, (from, to) -> {
            for (int index = from; index < to; index++) {
                int t = index / op.heads();
                int head = index % op.heads();
                int kvHead = op.kvHead().get(head);
                KvCache cache = rows.cache(t, op.cache());
                int first = cache.firstSeen(rows.position(t));
                int seen = rows.position(t) + 1 - first;
                int query = slots.offset(op.q(), t) + head * headWidth;
                float[] scores = new float[sinks == null ? seen : seen + 1];
                for (int s = 0; s < seen; s++) {
                    int key = cache.offset(first + s) + kvHead * headWidth;
                    scores[s] = op.scale()
                            * Vectors.dot(slots.array(op.q()), query, cache.array(first + s), key, headWidth);
                }
                if (sinks != null) {
                    scores[seen] = sinks[head];
                }
                Vectors.softmax(scores, scores.length);
                int out = slots.offset(op.out(), t) + head * valueWidth;
                Arrays.fill(slots.array(op.out()), out, out + valueWidth, 0);
                for (int s = 0; s < seen; s++) {
                    int value = cache.offset(first + s) + kWidth + kvHead * valueWidth;
                    float[] row = cache.array(first + s);
                    Vectors.addScaled(scores[s], row, value, slots.array(op.out()), out, valueWidth);
                }
            }
        });
    }

    /** Of each row, [T], those that it sees. */
    SeenRows[] selectRows(SelectRows op, Slots slots, StepRows rows, Cancel cancel) {
        for (int t = 0; t < rows.count(); t++) {
            KvCache cache = rows.cache(t, op.cache());
            int position = rows.position(t);
            System.arraycopy(
                    slots.array(op.k()),
                    slots.offset(op.k(), t),
                    cache.array(position),
                    cache.offset(position),
                    op.k().width());
        }
        SeenRows[] seen = new SeenRows[rows.count()];
        parallel.forRange(rows.count(), 1, cancel, (from, to) -> {
            for (int t = from; t < to; t++) {
                int position = rows.position(t);
                seen[t] = position < op.topK()
                        ? SeenRows.between(0, position)
                        : SeenRows.greatest(scores(op, slots, rows, t), op.topK());
            }
        });
        return seen;
    }

    /** Of row t with each row up to itself. */
    private static float[] scores(SelectRows op, Slots slots, StepRows rows, int t) {
        KvCache cache = rows.cache(t, op.cache());
        int width = op.k().width();
        float[] scores = new float[rows.position(t) + 1];
        for (int s = 0; s < scores.length; s++) {
            for (int h = 0; h < op.heads(); h++) {
                int query = slots.offset(op.q(), t) + h * width;
                float dot = Vectors.dot(slots.array(op.q()), query, cache.array(s), cache.offset(s), width);
                scores[s] += slots.array(op.w())[slots.offset(op.w(), t) + h] * Math.max(0, dot);
            }
        }
        return scores;
    }

    /**
     * @param keyUp count H, [rank, nope]
     * @param valueUp count H, [value, rank]
     * @param selection of each row, those that it sees; null for all
     */
    void latentAttention(
            LatentAttention op,
            Matrix keyUp,
            Matrix valueUp,
            SeenRows[] selection,
            Slots slots,
            StepRows rows,
            Cancel cancel) {
        int rank = op.latent().width();
        int rope = op.keyRope().width();
        int nope = keyUp.weight().columns();
        int value = valueUp.weight().rows();
        for (int t = 0; t < rows.count(); t++) {
            KvCache cache = rows.cache(t, op.cache());
            float[] row = cache.array(rows.position(t));
            int at = cache.offset(rows.position(t));
            System.arraycopy(slots.array(op.latent()), slots.offset(op.latent(), t), row, at, rank);
            System.arraycopy(slots.array(op.keyRope()), slots.offset(op.keyRope(), t), row, at + rank, rope);
        }
        float[] q = slots.array(op.q());
        float[] out = slots.array(op.out());
        parallel.forRange(op.heads(), 1, cancel, (from, to) -> {
            for (int h = from; h < to; h++) {
                float[][] up = keyUp.decode(h);
                float[][] down = valueUp.decode(h);
                for (int t = 0; t < rows.count(); t++) {
                    KvCache cache = rows.cache(t, op.cache());
                    int query = slots.offset(op.q(), t) + h * (nope + rope);
                    float[] absorbed = new float[rank];
                    for (int r = 0; r < rank; r++) {
                        absorbed[r] = Vectors.dot(up[r], 0, q, query, nope);
                    }
                    int position = rows.position(t);
                    SeenRows seen =
                            selection == null ? SeenRows.between(cache.firstSeen(position), position) : selection[t];
                    float[] scores = new float[seen.count()];
                    for (int s = 0; s < scores.length; s++) {
                        float[] row = cache.array(seen.row(s));
                        int key = cache.offset(seen.row(s));
                        scores[s] = op.scale()
                                * (Vectors.dot(absorbed, 0, row, key, rank)
                                        + Vectors.dot(q, query + nope, row, key + rank, rope));
                    }
                    Vectors.softmax(scores, scores.length);
                    float[] mixed = new float[rank];
                    for (int s = 0; s < scores.length; s++) {
                        int row = seen.row(s);
                        Vectors.addScaled(scores[s], cache.array(row), cache.offset(row), mixed, 0, rank);
                    }
                    for (int i = 0; i < value; i++) {
                        out[slots.offset(op.out(), t) + h * value + i] = Vectors.dot(down[i], 0, mixed, 0, rank);
                    }
                }
            }
        });
    }
}
