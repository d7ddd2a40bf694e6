package org.espalier.engine.reference;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.espalier.engine.Cancel;
import org.espalier.engine.EngineException;
import org.espalier.engine.Exchange;
import org.espalier.engine.RouterEdits.LayerEdit;
import org.espalier.engine.Routing;
import org.espalier.engine.reference.MatrixOps.Dense;
import org.espalier.engine.reference.MatrixOps.Mlp;
import org.espalier.engine.reference.MatrixOps.Rows;
import org.espalier.program.GatedUnit;
import org.espalier.program.Op;
import org.espalier.program.Program;
import org.espalier.program.Projection;
import org.espalier.program.View;
import org.espalier.weights.Matrix;

/** One step on its way through the ops. */
final class StepRun {

    private final Program program;
    private final Map<String, Matrix> matrices;
    private final Parallel parallel;
    private final MatrixOps matrixOps;
    private final AttentionOps attentionOps;
    private final Slots slots;
    private final StepRows rows;
    private final Cancel cancel;
    private final int[] all;
    /** [MoE layer][T], in the order of the route ops. */
    private final List<RouterChoice[]> choices = new ArrayList<>();

    private float[][] logits = new float[0][];

    StepRun(
            Program program,
            Map<String, Matrix> matrices,
            Parallel parallel,
            Slots slots,
            StepRows rows,
            Cancel cancel) {
        this.program = program;
        this.matrices = matrices;
        this.parallel = parallel;
        this.matrixOps = new MatrixOps(parallel);
        this.attentionOps = new AttentionOps(parallel);
        this.slots = slots;
        this.rows = rows;
        this.cancel = cancel;
        this.all = rows.all();
    }

    void run(Op op, Exchange exchange) {
        if (op instanceof Op.Embed embed) {
            embed(embed);
        } else if (op instanceof Op.RmsNorm norm) {
            norm(norm);
        } else if (op instanceof Op.Linear linear) {
            linear(linear);
        } else if (op instanceof Op.Rotate rotate) {
            attentionOps.rotate(rotate, slots, rows);
        } else if (op instanceof Op.Attention attention) {
            attentionOps.attention(attention, optionalVector(attention.sinks()), slots, rows, cancel);
        } else if (op instanceof Op.LatentAttention attention) {
            attentionOps.latentAttention(
                    attention, matrix(attention.keyUp()), matrix(attention.valueUp()), slots, rows, cancel);
        } else if (op instanceof Op.GatedMlp mlp) {
            matrixOps.gatedMlp(mlp(mlp.unit()), 0, view(mlp.in()), view(mlp.out()), all, cancel);
        } else if (op instanceof Op.Route route) {
            route(route);
        } else if (op instanceof Op.Experts experts) {
            experts(experts);
        } else if (op instanceof Op.SigmoidScale scale) {
            sigmoidScale(scale);
        } else if (op instanceof Op.Add add) {
            add(add);
        } else if (op instanceof Op.Exchange sum) {
            exchange(sum.x(), exchange);
        } else if (op instanceof Op.Logits head) {
            logits(head);
        } else {
            throw new EngineException(
                    "the reference engine has no op " + op.getClass().getSimpleName());
        }
    }

    float[][] logits() {
        return logits;
    }

    Routing routing() {
        int width = choices.stream()
                .flatMap(Arrays::stream)
                .mapToInt(choice -> choice.experts().length)
                .max()
                .orElse(0);
        int decisions = choices.size() * rows.count() * width;
        short[] experts = new short[decisions];
        Arrays.fill(experts, (short) -1);
        float[] weights = new float[decisions];
        int at = 0;
        for (RouterChoice[] layer : choices) {
            for (RouterChoice choice : layer) {
                for (int k = 0; k < choice.experts().length; k++) {
                    experts[at + k] = (short) choice.experts()[k];
                    weights[at + k] = choice.weights()[k];
                }
                at += width;
            }
        }
        int[] layers =
                program.routedLayers().stream().mapToInt(Integer::intValue).toArray();
        return new Routing(layers, rows.count(), width, experts, weights);
    }

    private Matrix matrix(String name) {
        Matrix matrix = matrices.get(name);
        if (matrix == null) {
            throw new EngineException("program '" + program.name() + "' has no weight " + name);
        }
        return matrix;
    }

    private Dense affine(Projection projection) {
        return new Dense(matrix(projection.weight()), projection.bias() == null ? null : matrix(projection.bias()));
    }

    private Mlp mlp(GatedUnit unit) {
        return new Mlp(affine(unit.gate()), affine(unit.up()), affine(unit.down()), unit.activation());
    }

    /** Null where the op names none. */
    private float[] optionalVector(String name) {
        return name == null ? null : matrix(name).vector(0);
    }

    private Rows view(View view) {
        int stride = slots.at(view, 1) - slots.at(view, 0);
        return new Rows(slots.array(view), view.offset(), stride);
    }

    private void embed(Op.Embed op) {
        Matrix table = matrix(op.weight());
        float[] row = new float[op.out().width()];
        for (int t = 0; t < rows.count(); t++) {
            int token = rows.token(t);
            if (token < 0 || token >= table.weight().rows()) {
                throw new EngineException("token " + token + " is not in the vocabulary of "
                        + table.weight().rows());
            }
            table.decodeRow(0, token, row);
            System.arraycopy(row, 0, slots.array(op.out()), slots.at(op.out(), t), row.length);
        }
    }

    private void norm(Op.RmsNorm op) {
        float[] weight = matrix(op.weight()).vector(0);
        int width = op.in().width() / op.groups();
        float[] in = slots.array(op.in());
        float[] out = slots.array(op.out());
        for (int t = 0; t < rows.count(); t++) {
            for (int group = 0; group < op.groups(); group++) {
                int from = slots.at(op.in(), t) + group * width;
                int to = slots.at(op.out(), t) + group * width;
                double squares = 0;
                for (int i = 0; i < width; i++) {
                    squares += (double) in[from + i] * in[from + i];
                }
                float factor = (float) (1 / Math.sqrt(squares / width + op.eps()));
                for (int i = 0; i < width; i++) {
                    out[to + i] = in[from + i] * factor * weight[i];
                }
            }
        }
    }

    private void linear(Op.Linear op) {
        matrixOps.project(affine(op.projection()), 0, view(op.in()), view(op.out()), all, cancel);
    }

    private void route(Op.Route op) {
        int experts = op.router().experts();
        float[] scores = new float[rows.count() * experts];
        matrixOps.project(affine(op.gate()), 0, view(op.in()), new Rows(scores, 0, experts), all, cancel);
        float[] correction = optionalVector(op.correctionBias());
        RouterChoice[] chosen = new RouterChoice[rows.count()];
        for (int t = 0; t < chosen.length; t++) {
            LayerEdit edit = rows.session(t).edits().layers().get(op.layer());
            float[] row = Arrays.copyOfRange(scores, t * experts, (t + 1) * experts);
            chosen[t] = RouterChoice.of(op.router(), row, correction, edit);
        }
        choices.add(chosen);
    }

    /** Expert by expert, so that each one's weights are decoded once for all rows that chose it. */
    private void experts(Op.Experts op) {
        RouterChoice[] chosen = choices.get(choices.size() - 1);
        Mlp mlp = mlp(op.unit());
        int width = op.out().width();
        float[] sums = slots.array(op.out());
        for (int t = 0; t < rows.count(); t++) {
            Arrays.fill(sums, slots.at(op.out(), t), slots.at(op.out(), t) + width, 0);
        }
        float[] output = new float[rows.count() * width];
        for (int index = 0; index < op.experts().size(); index++) {
            int expert = op.experts().get(index);
            int[] takers = IntStream.range(0, rows.count())
                    .filter(t -> place(chosen[t], expert) >= 0)
                    .toArray();
            if (takers.length == 0) {
                continue;
            }
            matrixOps.gatedMlp(mlp, index, view(op.in()), new Rows(output, 0, width), takers, cancel);
            for (int t : takers) {
                float weight = chosen[t].weights()[place(chosen[t], expert)];
                Vectors.addScaled(weight, output, t * width, sums, slots.at(op.out(), t), width);
            }
        }
    }

    private static int place(RouterChoice choice, int expert) {
        for (int k = 0; k < choice.experts().length; k++) {
            if (choice.experts()[k] == expert) {
                return k;
            }
        }
        return -1;
    }

    private void sigmoidScale(Op.SigmoidScale op) {
        for (int t = 0; t < rows.count(); t++) {
            float factor = Vectors.sigmoid(slots.array(op.gate())[slots.at(op.gate(), t)]);
            int x = slots.at(op.x(), t);
            for (int i = 0; i < op.x().width(); i++) {
                slots.array(op.x())[x + i] *= factor;
            }
        }
    }

    private void add(Op.Add op) {
        for (int t = 0; t < rows.count(); t++) {
            int a = slots.at(op.a(), t);
            int b = slots.at(op.b(), t);
            int out = slots.at(op.out(), t);
            for (int i = 0; i < op.out().width(); i++) {
                slots.array(op.out())[out + i] = slots.array(op.a())[a + i] + slots.array(op.b())[b + i];
            }
        }
    }

    private void exchange(View x, Exchange exchange) {
        ByteBuffer partial = ByteBuffer.allocateDirect(rows.count() * x.width() * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int t = 0; t < rows.count(); t++) {
            for (int i = 0; i < x.width(); i++) {
                partial.putFloat(slots.array(x)[slots.at(x, t) + i]);
            }
        }
        exchange.sum(partial.flip());
        partial.rewind();
        for (int t = 0; t < rows.count(); t++) {
            for (int i = 0; i < x.width(); i++) {
                slots.array(x)[slots.at(x, t) + i] = partial.getFloat();
            }
        }
    }

    private void logits(Op.Logits op) {
        int[] wanted = rows.logitsRows();
        Matrix head = matrix(op.weight());
        int vocabulary = head.weight().rows();
        int width = op.in().width();
        float[] in = Vectors.zeros(wanted.length, width);
        for (int i = 0; i < wanted.length; i++) {
            System.arraycopy(slots.array(op.in()), slots.at(op.in(), wanted[i]), in, i * width, width);
        }
        float[] values = Vectors.zeros(wanted.length, vocabulary);
        int[] every = IntStream.range(0, wanted.length).toArray();
        matrixOps.multiply(head, 0, new Rows(in, 0, width), new Rows(values, 0, vocabulary), every, cancel);
        logits = new float[wanted.length][];
        for (int i = 0; i < wanted.length; i++) {
            logits[i] = Arrays.copyOfRange(values, i * vocabulary, (i + 1) * vocabulary);
        }
    }
}
