package org.espalier.program;

/**
 * Rotary position embedding, <a href="https://arxiv.org/abs/2104.09864">Su et al. 2021</a>, with the frequencies already scaled
 * (llama3, YaRN) by the architecture.
 *
 * @param pairing which two dimensions rotate together
 * @param frequencies [rotated dimensions / 2] radians a position
 * @param attentionFactor multiplies cosine and sine (YaRN's mscale); 1 changes nothing
 */
public record Rope(Pairing pairing, float[] frequencies, float attentionFactor) {

    public enum Pairing {
        /** Dimension i with i + n/2, as in Hugging Face's llama. */
        HALF,
        /** Dimension 2i with 2i + 1, as in DeepSeek, the paper, and llama's GGUF files. */
        INTERLEAVED
    }

    /** Dimensions of a head that rotate. */
    public int dimensions() {
        return 2 * frequencies.length;
    }
}
