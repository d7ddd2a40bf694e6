package org.espalier.engine.library;

import java.util.List;
import java.util.function.ToIntFunction;
import org.espalier.program.Activation;
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
import org.espalier.program.Projection;
import org.espalier.program.RmsNorm;
import org.espalier.program.Rotate;
import org.espalier.program.Route;
import org.espalier.program.Router;
import org.espalier.program.Scale;
import org.espalier.program.SelectRows;
import org.espalier.program.ShortConvolution;

/**
 * An op as words: kind, number of words that follow, and its fields in the order of {@code espalier.h}.
 *
 * @param index of a weight by its name
 */
record OpWords(ToIntFunction<String> index) implements Op.Visitor<Words> {

    private Words op(OpKind kind, Words fields) {
        return new Words().add(kind.ordinal()).addPart(fields);
    }

    private int weight(String name) {
        return name == null ? -1 : index.applyAsInt(name);
    }

    private Words addProjection(Words words, Projection projection) {
        return words.add(weight(projection.weight())).add(weight(projection.bias()));
    }

    private Words addUnit(Words words, GatedUnit unit) {
        List.of(unit.gate(), unit.up(), unit.down()).forEach(projection -> addProjection(words, projection));
        return unit.activation() instanceof Activation.ClampedSwiglu clamped
                ? words.add(2).addFloat(clamped.alpha()).addFloat(clamped.limit())
                : words.add(unit.activation() instanceof Activation.Silu ? 0 : 1)
                        .addFloat(0)
                        .addFloat(0);
    }

    @Override
    public Words embed(Embed op) {
        return op(OpKind.EMBED, new Words().add(weight(op.weight())).addView(op.out()));
    }

    @Override
    public Words rmsNorm(RmsNorm op) {
        Words words = new Words().addView(op.in());
        if (op.gain() instanceof RmsNorm.Gain.Stored stored) {
            words.add(1).add(weight(stored.weight()));
        } else if (op.gain() instanceof RmsNorm.Gain.OnePlus centred) {
            words.add(2).add(weight(centred.weight()));
        } else {
            words.add(0).add(-1);
        }
        return op(OpKind.RMS_NORM, words.addFloat(op.eps()).add(op.groups()).addView(op.out()));
    }

    @Override
    public Words layerNorm(LayerNorm op) {
        return op(
                OpKind.LAYER_NORM,
                new Words()
                        .addView(op.in())
                        .add(weight(op.weight()))
                        .add(weight(op.bias()))
                        .addFloat(op.eps())
                        .addView(op.out()));
    }

    @Override
    public Words linear(Linear op) {
        Words words = new Words().addView(op.in());
        return op(OpKind.LINEAR, addProjection(words, op.projection()).addView(op.out()));
    }

    @Override
    public Words rotate(Rotate op) {
        Words words = new Words()
                .addView(op.x())
                .add(op.heads())
                .add(op.from())
                .add(op.rope().pairing().ordinal())
                .addFloat(op.rope().attentionFactor())
                .add(op.rope().frequencies().length);
        for (float frequency : op.rope().frequencies()) {
            words.addFloat(frequency);
        }
        return op(OpKind.ROTATE, words);
    }

    @Override
    public Words attention(Attention op) {
        return op(
                OpKind.ATTENTION,
                new Words()
                        .addView(op.q())
                        .addView(op.k())
                        .addView(op.v())
                        .addInts(op.kvHead())
                        .addFloat(op.scale())
                        .add(weight(op.sinks()))
                        .add(op.cache())
                        .addView(op.out()));
    }

    @Override
    public Words selectRows(SelectRows op) {
        return op(
                OpKind.SELECT_ROWS,
                new Words()
                        .add(op.layer())
                        .addView(op.q())
                        .addView(op.k())
                        .addView(op.w())
                        .add(op.topK())
                        .add(op.cache()));
    }

    @Override
    public Words latentAttention(LatentAttention op) {
        return op(
                OpKind.LATENT_ATTENTION,
                new Words()
                        .addView(op.q())
                        .addView(op.latent())
                        .addView(op.keyRope())
                        .add(weight(op.keyUp()))
                        .add(weight(op.valueUp()))
                        .add(op.heads())
                        .addFloat(op.scale())
                        .add(op.cache())
                        .addFlag(op.selection() != null)
                        .addView(op.out()));
    }

    @Override
    public Words gatedMlp(GatedMlp op) {
        Words words = new Words().addView(op.in());
        return op(OpKind.GATED_MLP, addUnit(words, op.unit()).addView(op.out()));
    }

    @Override
    public Words route(Route op) {
        Router router = op.router();
        Words words = new Words().add(op.layer()).addView(op.in());
        return op(
                OpKind.ROUTE,
                addProjection(words, op.gate())
                        .add(weight(op.correctionBias()))
                        .add(weight(op.expertScale()))
                        .add(router.experts())
                        .add(router.topK())
                        .add(router.scoring().ordinal())
                        .add(router.groups().count())
                        .add(router.groups().kept())
                        .add(router.groups().score().ordinal())
                        .addFlag(router.normalize())
                        .addFloat(router.scale()));
    }

    @Override
    public Words experts(Experts op) {
        Words words = new Words().add(op.layer()).addView(op.in()).addList(op.held(), OpWords::addHeld);
        return op(OpKind.EXPERTS, addUnit(words, op.unit()).addView(op.out()));
    }

    private static void addHeld(Words words, Experts.Held held) {
        words.add(held.expert()).add(held.replica()).add(held.replicas());
    }

    @Override
    public Words scale(Scale op) {
        Words words = new Words().addView(op.x());
        return op(
                OpKind.SCALE,
                op.factor() instanceof Scale.Factor.Constant constant
                        ? words.add(-1).addFloat(constant.value())
                        : words.add(weight(((Scale.Factor.Stored) op.factor()).weight()))
                                .addFloat(0));
    }

    @Override
    public Words gate(Gate op) {
        return op(
                OpKind.GATE,
                new Words().addView(op.gate()).add(op.function().ordinal()).addView(op.x()));
    }

    @Override
    public Words shortConvolution(ShortConvolution op) {
        return op(
                OpKind.SHORT_CONVOLUTION,
                new Words()
                        .addView(op.x())
                        .addList(op.convolutions(), (words, name) -> words.add(weight(name)))
                        .add(op.kernel())
                        .add(op.cache())
                        .addView(op.out()));
    }

    @Override
    public Words gatedDeltaRule(GatedDeltaRule op) {
        return op(
                OpKind.GATED_DELTA_RULE,
                new Words()
                        .addView(op.q())
                        .addView(op.k())
                        .addView(op.v())
                        .addView(op.decay())
                        .addView(op.beta())
                        .addFlag(op.rate() instanceof GatedDeltaRule.Rate.Negative)
                        .add(weight(op.rate().weight()))
                        .add(weight(op.dtBias()))
                        .add(op.keyWidth())
                        .addInts(op.keyHead())
                        .add(op.cache())
                        .addView(op.out()));
    }

    @Override
    public Words add(Add op) {
        return op(OpKind.ADD, new Words().addView(op.a()).addView(op.b()).addView(op.out()));
    }

    @Override
    public Words exchangeBegin(ExchangeBegin op) {
        int kind = op.kind() instanceof ExchangeBegin.Sum ? 0 : op.kind() instanceof ExchangeBegin.Zeros ? 1 : 2;
        return op(
                OpKind.EXCHANGE_BEGIN,
                new Words().add(op.id()).addView(op.view()).add(kind));
    }

    @Override
    public Words exchangeAwait(ExchangeAwait op) {
        return op(OpKind.EXCHANGE_AWAIT, new Words().add(op.id()));
    }

    @Override
    public Words logits(Logits op) {
        return op(
                OpKind.LOGITS,
                new Words()
                        .addView(op.in())
                        .add(weight(op.weight()))
                        .addFloat(op.cap())
                        .addView(op.out()));
    }
}
