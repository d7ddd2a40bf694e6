package org.espalier.config;

import java.util.List;

/** How a config stretches rotary positions; keys as in {@code rope_scaling} (transformers 4) or {@code rope_parameters} (5). */
public sealed interface RopeScaling {

    /** Frequencies theta^(-2i/d), unchanged. */
    record Default() implements RopeScaling {}

    /** Every frequency divided by factor, <a href="https://arxiv.org/abs/2306.15595">Chen et al. 2023</a>. */
    record Linear(float factor) implements RopeScaling {}

    /** Llama 3.1's: low frequencies divided by factor, high ones kept, a ramp between. */
    record Llama3(float factor, float lowFrequencyFactor, float highFrequencyFactor, int originalContext)
            implements RopeScaling {}

    /**
     * YaRN, <a href="https://arxiv.org/abs/2309.00071">Peng et al. 2023</a>.
     *
     * @param mscale DeepSeek's; 0 where the config has none
     * @param mscaleAllDim DeepSeek's; 0 where the config has none
     * @param truncate whether the correction range is rounded to whole dimensions
     */
    record Yarn(
            float factor,
            int originalContext,
            float betaFast,
            float betaSlow,
            float mscale,
            float mscaleAllDim,
            boolean truncate)
            implements RopeScaling {}

    /**
     * All frequencies as those of the whole head, of which only the first {@code pairs} rotate (Gemma 4).
     *
     * @param factor divides them
     */
    record Proportional(int pairs, float factor) implements RopeScaling {}

    /**
     * Each frequency divided by its own number: how GGUF files store Llama 3.1's scaling ({@code rope_freqs.weight}).
     *
     * @param divisors [rotated dimensions / 2]
     */
    record Divided(List<Float> divisors) implements RopeScaling {
        public Divided {
            divisors = List.copyOf(divisors);
        }
    }
}
