package org.espalier.engine;

import java.util.Map;
import org.espalier.program.Add;
import org.espalier.program.Attention;
import org.espalier.program.Embed;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.Experts;
import org.espalier.program.Gate;
import org.espalier.program.GatedDeltaRule;
import org.espalier.program.GatedMlp;
import org.espalier.program.LatentAttention;
import org.espalier.program.LayerNorm;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Op;
import org.espalier.program.RmsNorm;
import org.espalier.program.Rotate;
import org.espalier.program.Route;
import org.espalier.program.Scale;
import org.espalier.program.ShortConvolution;
import org.espalier.weights.Plain;
import org.espalier.weights.WeightFormat;

/**
 * How far a result may lie from arithmetic in double, as a share of its {@linkplain Expected#size size}: the one table of all suites. Numbers are
 * only ever made smaller, or get a derivation beside them.
 */
final class Tolerance {

    /** Half an ulp of float32, 24 bits of significand: what rounding a value once changes at most. */
    private static final double F = 0x1p-24;

    /** The same of bfloat16, 8 bits of significand. */
    private static final double B = 0x1p-8;

    /**
     * @param float32 roundings of a float. Adding up n values rounds n times, each by up to F of the sum so far; that is half the size on average, and
     *     the errors have either sign, so that they grow with the root of n: 8 is half the root of 256, the longest sum of the suites
     * @param fast roundings to bfloat16 on the way, at most: the operand, what the op keeps between its own products, and the result. Sums are
     *     in float or better
     */
    private record Row(double float32, double fast) {}

    private static final Map<Class<? extends Op>, Row> TABLE = Map.ofEntries(
            // a stored value as it is; fast rounds it to an activation
            row(Embed.class, 0, B),
            // one sum of two floats
            row(Add.class, F, F + B),
            // each node's value travels once, the sum of two or three of them rounds once or twice and travels back
            row(ExchangeAwait.class, 4 * F, 4 * B),
            // the sum of squares has no cancellation; then its root, a division and two products
            row(RmsNorm.class, 8 * F, 2 * B),
            // likewise; the mean and the bias count in the size
            row(LayerNorm.class, 8 * F, 2 * B),
            // sine and cosine of an angle that was rounded to float when below 4, two products, a sum; then Add
            row(Rotate.class, 16 * F, 3 * B),
            // an exponential, a sum, a division, a product
            // one product; fast also rounds the operand, which a sum made
            row(Scale.class, F, 2 * B),
            row(Gate.class, 8 * F, 2 * B),
            // one sum of products: operand and result
            row(Linear.class, 8 * F, 2 * B),
            row(Logits.class, 8 * F, 2 * B),
            // scores, exponentials and their sum, the sum over values: score, probability, result
            row(Attention.class, 16 * F, 3 * B),
            // a sum of products; silu, an exponential and a division, adds its own
            row(ShortConvolution.class, 8 * F, 2 * B),
            // the state is in float whatever the precision: sums as long as the session that cancel and decay; result
            row(GatedDeltaRule.class, 16 * F, 2 * B),
            // likewise; the absorbed query and the mixed latent are results of their own
            row(LatentAttention.class, 16 * F, 5 * B),
            // operand, gate, up, their product, result; the size counts each of them by itself
            row(GatedMlp.class, 4 * F, 5 * B),
            // the same, and the weighted sum
            row(Experts.class, 2 * F, 6 * B),
            // float32 from float rows in both precisions
            row(Route.class, 8 * F, 8 * F));

    /**
     * A product with quantized values. In fast their engine may keep the operand in 8 bits with a scale for each block: half a step is 1/254 of the
     * block's greatest, so about B of it, which is some two to three times the size's part of a value; then the result.
     */
    private static final Row QUANTIZED = new Row(8 * F, 4 * B);

    private Tolerance() {}

    private static Map.Entry<Class<? extends Op>, Row> row(Class<? extends Op> op, double float32, double fast) {
        return Map.entry(op, new Row(float32, fast));
    }

    /** @param format of the op's weights; F32 where it has none */
    static double of(Class<? extends Op> op, WeightFormat format, Precision precision) {
        boolean quantized = op == Linear.class && !(format instanceof Plain);
        Row row = quantized ? QUANTIZED : TABLE.get(op);
        return precision == Precision.FLOAT32 ? row.float32() : row.fast();
    }

    /** Of a decoded value to what other software decodes: it multiplies scales in another order, 16 roundings at most; fast rounds it to an activation. */
    static float ofOtherSoftware(Precision precision) {
        return (float) (precision == Precision.FLOAT32 ? 16 * F : 16 * F + B);
    }

    /**
     * Between logits of {@link TinyProgram} that came about by steps of different rows, absolutely. float32: 1e-5, some 20 ulps of numbers below 8,
     * for a product of one row may add up in another order. fast: such a difference may tip a rounding to bfloat16, by an ulp or 2 B of values below
     * 2, in each of the 6 ops before the logits; over the columns of the head it has either sign, and weights below 1.
     */
    static double ofLogits(Precision precision) {
        return precision == Precision.FLOAT32 ? 1e-5 : 6 * 2 * B;
    }
}
