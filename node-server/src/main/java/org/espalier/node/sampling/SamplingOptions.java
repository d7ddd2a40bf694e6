package org.espalier.node.sampling;

import org.espalier.EspalierException;

/**
 * How the next token is chosen.
 *
 * @param temperature 0: greedy; logits are divided by it
 * @param topK only the K likeliest tokens; 0: all
 * @param topP only the likeliest tokens that together reach this probability; 1: all
 * @param repetitionPenalty above 1 makes tokens that stand in the sequence less likely; 1: none
 * @param seed of the random numbers
 */
public record SamplingOptions(float temperature, int topK, float topP, float repetitionPenalty, long seed) {

    public static final SamplingOptions GREEDY = new SamplingOptions(0, 0, 1, 1, 0);

    /** @throws EspalierException naming the option that is out of range */
    public SamplingOptions {
        // Written so that NaN fails too.
        require(temperature >= 0 && Float.isFinite(temperature), "temperature", temperature, "a number from 0");
        require(topK >= 0, "top-k", topK, "0 (all tokens) or more");
        require(topP > 0 && topP <= 1, "top-p", topP, "above 0, at most 1");
        require(
                repetitionPenalty > 0 && Float.isFinite(repetitionPenalty),
                "repetition penalty",
                repetitionPenalty,
                "a number above 0 (1: none)");
    }

    private static void require(boolean valid, String option, Object found, String expected) {
        if (!valid) {
            throw new EspalierException(option + " is " + found + ", expected " + expected);
        }
    }
}
