package org.espalier.architecture;

import java.util.function.IntToDoubleFunction;
import org.espalier.config.Positions;
import org.espalier.config.RopeScaling;
import org.espalier.program.Rope;

/**
 * Rotary frequencies as Hugging Face's transformers computes them ({@code modeling_rope_utils.py}). Pair i of n/2 rotates by theta^(-2i/n)
 * radians a position; the scalings slow pairs down so that a longer context rotates no further than in training.
 */
final class RopeFrequencies {

    private final int dimensions;
    private final double theta;

    private RopeFrequencies(int dimensions, float theta) {
        this.dimensions = dimensions;
        this.theta = theta;
    }

    static Rope rope(Rope.Pairing pairing, Positions positions) {
        RopeFrequencies plain = new RopeFrequencies(positions.dimensions(), positions.theta());
        RopeScaling scaling = positions.scaling();
        if (scaling instanceof RopeScaling.Linear linear) {
            return plain.rope(pairing, i -> plain.frequency(i) / linear.factor(), 1);
        }
        if (scaling instanceof RopeScaling.Llama3 llama3) {
            return plain.rope(pairing, i -> plain.llama3(i, llama3), 1);
        }
        if (scaling instanceof RopeScaling.Yarn yarn) {
            return plain.rope(pairing, i -> plain.yarn(i, yarn), attentionFactor(yarn));
        }
        if (scaling instanceof RopeScaling.Proportional some) {
            return plain.rope(pairing, i -> i < some.pairs() ? plain.frequency(i) / some.factor() : 0, 1);
        }
        if (scaling instanceof RopeScaling.Divided divided) {
            return plain.rope(
                    pairing, i -> plain.frequency(i) / divided.divisors().get(i), 1);
        }
        return plain.rope(pairing, plain::frequency, 1);
    }

    /**
     * What DeepSeek's softmax scale is multiplied by: mscale² where the config has {@code mscale_all_dim}, 1 elsewhere. The part of it that
     * {@link #attentionFactor} gives to the rotated columns is divided out there.
     */
    static double mscaleSquared(RopeScaling scaling) {
        if (scaling instanceof RopeScaling.Yarn yarn && yarn.mscaleAllDim() != 0) {
            double mscale = mscale(yarn.factor(), yarn.mscaleAllDim());
            return mscale * mscale;
        }
        return 1;
    }

    private Rope rope(Rope.Pairing pairing, IntToDoubleFunction frequency, double attentionFactor) {
        float[] frequencies = new float[dimensions / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = (float) frequency.applyAsDouble(i);
        }
        return new Rope(pairing, frequencies, (float) attentionFactor);
    }

    private double frequency(int i) {
        return Math.pow(theta, -2.0 * i / dimensions);
    }

    /** Wavelengths beyond the old context are stretched by factor, short ones kept, with a ramp in the number of rotations between. */
    private double llama3(int i, RopeScaling.Llama3 scaling) {
        double frequency = frequency(i);
        double rotations = scaling.originalContext() * frequency / (2 * Math.PI); // within the old context
        double low = scaling.lowFrequencyFactor();
        double high = scaling.highFrequencyFactor();
        double kept = clamp((rotations - low) / (high - low));
        return kept * frequency + (1 - kept) * frequency / scaling.factor();
    }

    /** YaRN section 3.2, "NTK-by-parts": pairs before {@code low} are kept, those after {@code high} stretched, with a ramp between. */
    private double yarn(int i, RopeScaling.Yarn scaling) {
        double low = pairThatRotates(scaling.betaFast(), scaling.originalContext());
        double high = pairThatRotates(scaling.betaSlow(), scaling.originalContext());
        if (scaling.truncate()) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, dimensions - 1); // as published; there are only n/2 pairs
        double width = high == low ? 0.001 : high - low;
        double stretched = clamp((i - low) / width);
        return (1 - stretched) * frequency(i) + stretched * frequency(i) / scaling.factor();
    }

    /** The (fractional) pair that makes this many rotations within the old context: solves context * frequency(i) = 2 pi rotations. */
    private double pairThatRotates(double rotations, int context) {
        return dimensions * Math.log(context / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    /** YaRN section 3.4; DeepSeek's configs split it between cosine and sine and the softmax scale. */
    private static double attentionFactor(RopeScaling.Yarn scaling) {
        if (scaling.mscale() != 0 && scaling.mscaleAllDim() != 0) {
            return mscale(scaling.factor(), scaling.mscale()) / mscale(scaling.factor(), scaling.mscaleAllDim());
        }
        return mscale(scaling.factor(), 1);
    }

    private static double mscale(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }

    private static double clamp(double x) {
        return Math.max(0, Math.min(1, x));
    }
}
