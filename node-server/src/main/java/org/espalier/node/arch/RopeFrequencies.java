package org.espalier.node.arch;

import org.espalier.model.RopeScaling;

/** Radians a position for each pair of dimensions, {@code theta^(-2i/d)}, stretched as the config says. */
final class RopeFrequencies {

    private RopeFrequencies() {}

    /**
     * @param dimensions d, that turn
     * @return [d / 2]
     */
    static float[] of(float theta, int dimensions, RopeScaling scaling) {
        float[] frequencies = new float[dimensions / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double plain = Math.pow(theta, -2.0 * i / dimensions);
            if (scaling instanceof RopeScaling.Llama3 llama3) {
                plain = llama3(plain, llama3);
            } else if (scaling instanceof RopeScaling.Yarn yarn) {
                plain = yarn(plain, i, theta, dimensions, yarn);
            }
            frequencies[i] = (float) plain;
        }
        return frequencies;
    }

    /** Llama 3.1: long waves are divided by the factor, short ones stay, between them a ramp. */
    private static double llama3(double frequency, RopeScaling.Llama3 scaling) {
        double wavelength = 2 * Math.PI / frequency;
        double longest = (double) scaling.originalContext() / scaling.lowFrequencyFactor();
        double shortest = (double) scaling.originalContext() / scaling.highFrequencyFactor();
        if (wavelength > longest) {
            return frequency / scaling.factor();
        }
        if (wavelength < shortest) {
            return frequency;
        }
        double smooth = (scaling.originalContext() / wavelength - scaling.lowFrequencyFactor())
                / (scaling.highFrequencyFactor() - scaling.lowFrequencyFactor());
        return (1 - smooth) * frequency / scaling.factor() + smooth * frequency;
    }

    /** YaRN, equation 23: dimensions that turn often keep their frequency, those that turn seldom are interpolated. */
    private static double yarn(double frequency, int i, float theta, int dimensions, RopeScaling.Yarn scaling) {
        double low = turns(scaling.betaFast(), theta, dimensions, scaling.originalContext());
        double high = turns(scaling.betaSlow(), theta, dimensions, scaling.originalContext());
        if (scaling.truncate()) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, dimensions - 1);
        double width = high == low ? 0.001 : high - low; // as transformers avoids a division by zero
        double interpolated = Math.max(0, Math.min(1, (i - low) / width));
        return frequency / scaling.factor() * interpolated + frequency * (1 - interpolated);
    }

    /** The dimension whose pair turns {@code rotations} times over the original context. */
    private static double turns(double rotations, float theta, int dimensions, int context) {
        return dimensions * Math.log(context / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    /** YaRN's attention temperature, 0.1 m ln(s) + 1. */
    static double mscale(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }

    /** What cosine and sine are multiplied with. */
    static float attentionFactor(RopeScaling scaling) {
        if (!(scaling instanceof RopeScaling.Yarn yarn)) {
            return 1;
        }
        return yarn.mscale() != 0 && yarn.mscaleAllDim() != 0
                ? (float) (mscale(yarn.factor(), yarn.mscale()) / mscale(yarn.factor(), yarn.mscaleAllDim()))
                : (float) mscale(yarn.factor(), 1);
    }
}
