package org.espalier.program;

import java.util.List;

/**
 * One coarse operation over the rows of a step, [T, columns]. Weights are named as in {@link Program#weights()}.
 *
 * <p>A new op is a file beside this one, a name in the list below, a method of {@link Visitor}, and a case in every engine, which the
 * compiler then asks for.
 */
public sealed interface Op
        permits Embed,
                RmsNorm,
                LayerNorm,
                Linear,
                Rotate,
                Attention,
                SelectRows,
                LatentAttention,
                GatedMlp,
                Route,
                Experts,
                Scale,
                Gate,
                ShortConvolution,
                GatedDeltaRule,
                Add,
                ExchangeBegin,
                ExchangeAwait,
                Logits {

    /** Columns whose values it uses. */
    List<View> reads();

    /** Columns that it sets, each of them in every row. */
    List<View> writes();

    /** Names of the weights that it takes. */
    List<String> weights();

    /**
     * Proves widths, and shapes and counts of the weights. That views lie in their slots, and that what is read was written before, holds
     * already.
     */
    void check(OpCheck check);

    /** What it reads and computes in one step; by default each weight once, and a multiplication and an addition a value and row. */
    default Cost cost(Program program, StepShape step) {
        Cost cost = Cost.NONE;
        for (String name : weights()) {
            cost = cost.plus(Cost.product(program.weight(name), step.rows()));
        }
        return cost;
    }

    <R> R accept(Visitor<R> visitor);

    /** A case for each op. */
    interface Visitor<R> {
        R embed(Embed op);

        R rmsNorm(RmsNorm op);

        R layerNorm(LayerNorm op);

        R linear(Linear op);

        R rotate(Rotate op);

        R attention(Attention op);

        R selectRows(SelectRows op);

        R latentAttention(LatentAttention op);

        R gatedMlp(GatedMlp op);

        R route(Route op);

        R experts(Experts op);

        R gate(Gate op);

        R shortConvolution(ShortConvolution op);

        R gatedDeltaRule(GatedDeltaRule op);

        R scale(Scale op);

        R add(Add op);

        R exchangeBegin(ExchangeBegin op);

        R exchangeAwait(ExchangeAwait op);

        R logits(Logits op);
    }
}
