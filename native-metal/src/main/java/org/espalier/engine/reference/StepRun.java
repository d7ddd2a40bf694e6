package org.espalier.engine.reference;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.EngineException;
import org.espalier.engine.Exchange;
import org.espalier.engine.RouterEdits.LayerEdit;
import org.espalier.engine.Routing;
import org.espalier.engine.reference.MatrixOps.Dense;
import org.espalier.engine.reference.MatrixOps.Mlp;
import org.espalier.engine.reference.MatrixOps.Rows;
import org.espalier.program.Add;
import org.espalier.program.Attention;
import org.espalier.program.Embed;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Experts;
import org.espalier.program.Gate;
import org.espalier.program.GatedDeltaRule;
import org.espalier.program.GatedMlp;
import org.espalier.program.GatedUnit;
import org.espalier.program.LatentAttention;
import org.espalier.program.LayerNorm;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Op;
import org.espalier.program.Program;
import org.espalier.program.Projection;
import org.espalier.program.RmsNorm;
import org.espalier.program.Rotate;
import org.espalier.program.Route;
import org.espalier.program.Scale;
import org.espalier.program.SelectRows;
import org.espalier.program.ShortConvolution;
import org.espalier.program.View;
import org.espalier.weights.Matrix;

/**
 * One step on its way through the ops. A step that was cancelled ends at the next op; in a group of nodes only at an exchange, so that none
 * stops alone.
 */
final class StepRun implements Op.Visitor<Void> {

    private final Loaded loaded;
    private final MatrixOps matrixOps;
    private final AttentionOps attentionOps;
    private final StateOps stateOps;
    private final Slots slots;
    private final StepRows rows;
    private final Link link;
    private final Cancel cancel;
    private final int[] all;
    private final Map<Integer, Begun> begun = new HashMap<>();
    /** [MoE layer][T], in the order of the route ops. */
    private final List<RouterChoice[]> choices = new ArrayList<>();
    /** [T], of the last op that selects rows; null before the first. */
    private SeenRows[] selection;

    /** What all steps of a program share. */
    record Loaded(Program program, Map<String, Matrix> matrices, Parallel parallel, Numbers numbers) {}

    /**
     * What connects the step with others.
     *
     * @param flag the step's own
     * @param cancel looked at between ops; never set in a group
     */
    record Link(Exchange exchange, Cancel flag, Cancel cancel) {}

    /** An exchange in progress. */
    private record Begun(View view, ByteBuffer values) {}

    StepRun(Loaded loaded, Slots slots, StepRows rows, Link link) {
        this.loaded = loaded;
        this.matrixOps = new MatrixOps(loaded.parallel());
        this.attentionOps = new AttentionOps(loaded.parallel());
        this.stateOps = new StateOps(loaded.parallel());
        this.slots = slots;
        this.rows = rows;
        this.link = link;
        this.cancel = link.cancel();
        this.all = rows.all();
    }

    void run(Op op) {
        cancel.check();
        op.accept(this);
    }

    /** After the last op. */
    void end() {
        cancel.check();
    }

    /** [R][V]; empty where the program yields activations. */
    float[][] logits() {
        View view = loaded.program().logits();
        if (view == null) {
            return new float[0][];
        }
        float[][] logits = new float[slots.rows(view)][];
        for (int row = 0; row < logits.length; row++) {
            int from = slots.offset(view, row);
            logits[row] = Arrays.copyOfRange(slots.array(view), from, from + view.width());
        }
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
        int[] layers = loaded.program().routedLayers().stream()
                .mapToInt(Integer::intValue)
                .toArray();
        return new Routing(layers, rows.count(), width, experts, weights);
    }

    private Matrix matrix(String name) {
        return loaded.matrices().get(name);
    }

    private Dense dense(Projection projection) {
        return new Dense(matrix(projection.weight()), projection.bias() == null ? null : matrix(projection.bias()));
    }

    private Mlp mlp(GatedUnit unit) {
        return new Mlp(dense(unit.gate()), dense(unit.up()), dense(unit.down()), unit.activation());
    }

    /** Null where the op names none. */
    private float[] optionalVector(String name) {
        return name == null ? null : matrix(name).vector(0);
    }

    private Rows view(View view) {
        int stride = slots.offset(view, 1) - slots.offset(view, 0);
        return new Rows(slots.array(view), view.offset(), stride);
    }

    @Override
    public Void embed(Embed op) {
        Matrix table = matrix(op.weight());
        float[] row = new float[op.out().width()];
        for (int t = 0; t < rows.count(); t++) {
            table.decodeRow(0, rows.token(t), row);
            System.arraycopy(row, 0, slots.array(op.out()), slots.offset(op.out(), t), row.length);
        }
        return null;
    }

    @Override
    public Void rmsNorm(RmsNorm op) {
        int width = op.in().width() / op.groups();
        float[] gain = gain(op.gain(), width);
        float[] in = slots.array(op.in());
        float[] out = slots.array(op.out());
        for (int t = 0; t < rows.count(); t++) {
            for (int group = 0; group < op.groups(); group++) {
                int from = slots.offset(op.in(), t) + group * width;
                int to = slots.offset(op.out(), t) + group * width;
                double squares = 0;
                for (int i = 0; i < width; i++) {
                    squares += (double) in[from + i] * in[from + i];
                }
                float factor = (float) (1 / Math.sqrt(squares / width + op.eps()));
                for (int i = 0; i < width; i++) {
                    out[to + i] = in[from + i] * factor * gain[i];
                }
            }
        }
        return null;
    }

    private float[] gain(RmsNorm.Gain gain, int width) {
        if (gain instanceof RmsNorm.Gain.Stored stored) {
            return matrix(stored.weight()).vector(0);
        }
        float[] values = gain instanceof RmsNorm.Gain.OnePlus onePlus
                ? matrix(onePlus.weight()).vector(0).clone()
                : new float[width];
        for (int i = 0; i < width; i++) {
            values[i] += 1;
        }
        return values;
    }

    @Override
    public Void layerNorm(LayerNorm op) {
        float[] weight = matrix(op.weight()).vector(0);
        float[] bias = matrix(op.bias()).vector(0);
        int width = op.in().width();
        float[] in = slots.array(op.in());
        float[] out = slots.array(op.out());
        for (int t = 0; t < rows.count(); t++) {
            int from = slots.offset(op.in(), t);
            int to = slots.offset(op.out(), t);
            double sum = 0;
            for (int i = 0; i < width; i++) {
                sum += in[from + i];
            }
            double mean = sum / width;
            double squares = 0;
            for (int i = 0; i < width; i++) {
                squares += (in[from + i] - mean) * (in[from + i] - mean);
            }
            double factor = 1 / Math.sqrt(squares / width + op.eps());
            for (int i = 0; i < width; i++) {
                out[to + i] = (float) ((in[from + i] - mean) * factor) * weight[i] + bias[i];
            }
        }
        return null;
    }

    @Override
    public Void linear(Linear op) {
        matrixOps.project(dense(op.projection()), 0, view(op.in()), view(op.out()), all, cancel);
        return null;
    }

    @Override
    public Void rotate(Rotate op) {
        attentionOps.rotate(op, slots, rows);
        return null;
    }

    @Override
    public Void attention(Attention op) {
        attentionOps.attention(op, optionalVector(op.sinks()), slots, rows, cancel);
        return null;
    }

    @Override
    public Void selectRows(SelectRows op) {
        selection = attentionOps.selectRows(op, slots, rows, cancel);
        return null;
    }

    @Override
    public Void latentAttention(LatentAttention op) {
        SeenRows[] seen = op.selection() == null ? null : selection;
        attentionOps.latentAttention(op, matrix(op.keyUp()), matrix(op.valueUp()), seen, slots, rows, cancel);
        return null;
    }

    @Override
    public Void gatedMlp(GatedMlp op) {
        matrixOps.gatedMlp(mlp(op.unit()), 0, view(op.in()), view(op.out()), all, cancel);
        return null;
    }

    @Override
    public Void route(Route op) {
        int experts = op.router().experts();
        float[] scores = new float[rows.count() * experts];
        matrixOps.project(dense(op.gate()), 0, view(op.in()), new Rows(scores, 0, experts), all, cancel);
        float[] correction = optionalVector(op.correctionBias());
        float[] expertScale = optionalVector(op.expertScale());
        RouterChoice[] chosen = new RouterChoice[rows.count()];
        for (int t = 0; t < chosen.length; t++) {
            LayerEdit edit = rows.session(t).edits().layers().get(op.layer());
            float[] row = Arrays.copyOfRange(scores, t * experts, (t + 1) * experts);
            RouterChoice choice = RouterChoice.of(op.router(), row, correction, edit);
            chosen[t] = expertScale == null ? choice : choice.times(expertScale);
        }
        choices.add(chosen);
        return null;
    }

    /** Expert by expert, so that each one's weights are decoded once for all rows that chose it. */
    @Override
    public Void experts(Experts op) {
        RouterChoice[] chosen = choices.get(choices.size() - 1);
        Mlp mlp = mlp(op.unit());
        int width = op.out().width();
        float[] sums = slots.array(op.out());
        for (int t = 0; t < rows.count(); t++) {
            Arrays.fill(sums, slots.offset(op.out(), t), slots.offset(op.out(), t) + width, 0);
        }
        float[] output = new float[rows.count() * width];
        for (int index = 0; index < op.held().size(); index++) {
            Experts.Held held = op.held().get(index);
            int expert = held.expert();
            int[] chosenBy = IntStream.range(0, rows.count())
                    .filter(t -> rankOf(expert, chosen[t]) >= 0 && held.computes(rows.position(t), op.layer()))
                    .toArray();
            if (chosenBy.length == 0) {
                continue;
            }
            matrixOps.gatedMlp(mlp, index, view(op.in()), new Rows(output, 0, width), chosenBy, cancel);
            for (int t : chosenBy) {
                float weight = chosen[t].weights()[rankOf(expert, chosen[t])];
                Vectors.addScaled(weight, output, t * width, sums, slots.offset(op.out(), t), width);
            }
        }
        return null;
    }

    /** The expert's position in the choice, or -1. */
    private static int rankOf(int expert, RouterChoice choice) {
        for (int k = 0; k < choice.experts().length; k++) {
            if (choice.experts()[k] == expert) {
                return k;
            }
        }
        return -1;
    }

    @Override
    public Void gate(Gate op) {
        int step = op.gate().width() == 1 ? 0 : 1;
        for (int t = 0; t < rows.count(); t++) {
            int x = slots.offset(op.x(), t);
            int gate = slots.offset(op.gate(), t);
            for (int i = 0; i < op.x().width(); i++) {
                float g = slots.array(op.gate())[gate + i * step];
                slots.array(op.x())[x + i] *=
                        op.function() == Gate.Function.SIGMOID ? Vectors.sigmoid(g) : Vectors.silu(g);
            }
        }
        return null;
    }

    @Override
    public Void scale(Scale op) {
        float factor = op.factor() instanceof Scale.Factor.Constant constant
                ? constant.value()
                : matrix(op.weights().get(0)).vector(0)[0];
        for (int t = 0; t < rows.count(); t++) {
            int x = slots.offset(op.x(), t);
            for (int i = 0; i < op.x().width(); i++) {
                slots.array(op.x())[x + i] *= factor;
            }
        }
        return null;
    }

    @Override
    public Void shortConvolution(ShortConvolution op) {
        stateOps.convolve(op, op.convolutions().stream().map(this::matrix).toList(), slots, rows);
        return null;
    }

    @Override
    public Void gatedDeltaRule(GatedDeltaRule op) {
        stateOps.deltaRule(
                op, matrix(op.rate().weight()).vector(0), matrix(op.dtBias()).vector(0), slots, rows, cancel);
        return null;
    }

    @Override
    public Void add(Add op) {
        for (int t = 0; t < rows.count(); t++) {
            int a = slots.offset(op.a(), t);
            int b = slots.offset(op.b(), t);
            int out = slots.offset(op.out(), t);
            for (int i = 0; i < op.out().width(); i++) {
                slots.array(op.out())[out + i] = slots.array(op.a())[a + i] + slots.array(op.b())[b + i];
            }
        }
        return null;
    }

    @Override
    public Void exchangeBegin(ExchangeBegin op) {
        View x = op.view();
        int count = slots.rows(x);
        if (count == 0) {
            return null; // no row wants logits, on no node
        }
        long bytes = (long) count * x.width() * loaded.numbers().bytes();
        if (bytes > Integer.MAX_VALUE) {
            throw new EngineException(
                    "exchange " + op.id() + " of " + count + " rows has " + bytes + " bytes: use a step of fewer rows");
        }
        ByteBuffer values = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
        boolean nothing = op.kind() instanceof ExchangeBegin.Zeros;
        for (int t = 0; t < count; t++) {
            for (int i = 0; i < x.width(); i++) {
                loaded.numbers().put(values, nothing ? 0 : slots.array(x)[slots.offset(x, t) + i]);
            }
        }
        values.flip();
        begun.put(op.id(), new Begun(x, values));
        link.exchange().begin(op, values.duplicate().order(ByteOrder.LITTLE_ENDIAN), link.flag());
        return null;
    }

    @Override
    public Void exchangeAwait(ExchangeAwait op) {
        Begun exchanged = begun.remove(op.id());
        if (exchanged == null) {
            return null; // it was left out
        }
        switch (link.exchange().await(op.id())) {
            case DONE -> {}
            case CANCELLED -> throw new CancelledException();
            case FAILED ->
                throw new EngineException("exchange " + op.id() + " of program '"
                        + loaded.program().name() + "' failed: another node of the group failed or is gone");
        }
        View x = exchanged.view();
        for (int t = 0; t < slots.rows(x); t++) {
            for (int i = 0; i < x.width(); i++) {
                slots.array(x)[slots.offset(x, t) + i] = loaded.numbers().get(exchanged.values());
            }
        }
        return null;
    }

    @Override
    public Void logits(Logits op) {
        int[] wanted = rows.logitsRows();
        Matrix head = matrix(op.weight());
        int width = op.in().width();
        float[] in = Vectors.zeros(wanted.length, width);
        for (int i = 0; i < wanted.length; i++) {
            System.arraycopy(slots.array(op.in()), slots.offset(op.in(), wanted[i]), in, i * width, width);
        }
        int[] every = IntStream.range(0, wanted.length).toArray();
        matrixOps.multiply(head, 0, new Rows(in, 0, width), view(op.out()), every, cancel);
        if (op.cap() > 0) {
            cap(op);
        }
        return null;
    }

    private void cap(Logits op) {
        float[] logits = slots.array(op.out());
        for (int row = 0; row < slots.rows(op.out()); row++) {
            int from = slots.offset(op.out(), row);
            for (int i = from; i < from + op.out().width(); i++) {
                logits[i] = (float) (op.cap() * Math.tanh(logits[i] / op.cap()));
            }
        }
    }
}
