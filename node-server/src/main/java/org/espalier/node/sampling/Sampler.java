package org.espalier.node.sampling;

import static org.espalier.sampling.SamplingOption.MIN_P;
import static org.espalier.sampling.SamplingOption.REPETITION_PENALTY;
import static org.espalier.sampling.SamplingOption.SEED;
import static org.espalier.sampling.SamplingOption.TEMPERATURE;
import static org.espalier.sampling.SamplingOption.TOP_K;
import static org.espalier.sampling.SamplingOption.TOP_P;

import java.util.Arrays;
import java.util.BitSet;
import org.espalier.engine.EngineException;
import org.espalier.sampling.Sampling;

/**
 * Chooses the next token: repetition penalty, temperature, top-k, top-p and min-p, in this order, as Hugging Face's transformers applies
 * them. Where transformers keeps all tokens that tie at the limit of top-k, here the lower ids win.
 */
public final class Sampler {

    private Sampler() {}

    /**
     * A pure function of its arguments; nothing is changed.
     *
     * @param position of the token that is chosen, from the start of the sequence; the random number's counter
     * @param logits [V]; minus infinity for a token that is never chosen
     * @param tokens the sequence so far, prompt and answer; read by the repetition penalty only
     * @param tokenCount how many of {@code tokens} there are
     * @throws EngineException if a logit is NaN or plus infinity, none is finite, or a token is not in the vocabulary
     */
    public static Sampled sample(Sampling sampling, int position, float[] logits, int[] tokens, int tokenCount) {
        checkLogits(logits);
        float[] penalized = penalize(sampling.fraction(REPETITION_PENALTY), logits, tokens, tokenCount);
        int token = sampling.fraction(TEMPERATURE) == 0 ? argmax(penalized) : draw(sampling, position, penalized);
        return new Sampled(token, (float) Logprob.of(logits, token));
    }

    private static void checkLogits(float[] logits) {
        boolean finite = false;
        for (int token = 0; token < logits.length; token++) {
            float logit = logits[token];
            if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
                throw new EngineException("the logit of token " + token + " is " + logit
                        + ": the model's computation overflowed; load it with precision float32");
            }
            finite |= logit != Float.NEGATIVE_INFINITY;
        }
        if (!finite) {
            throw new EngineException("none of the " + logits.length + " logits is finite: no token can be chosen");
        }
    }

    /** For each distinct token of the sequence, divides a positive logit by the penalty or multiplies a negative one. */
    private static float[] penalize(float penalty, float[] logits, int[] tokens, int tokenCount) {
        if (penalty == 1) {
            return logits;
        }
        float[] penalized = logits.clone();
        BitSet done = new BitSet(logits.length);
        for (int i = 0; i < tokenCount; i++) {
            int token = tokens[i];
            if (token < 0 || token >= logits.length) {
                throw new EngineException("token " + token + " at position " + i + " is not in the vocabulary of "
                        + logits.length + " tokens");
            }
            if (!done.get(token)) {
                done.set(token);
                float logit = penalized[token];
                penalized[token] = logit > 0 ? logit / penalty : logit * penalty;
            }
        }
        return penalized;
    }

    /** The id of the greatest logit; the lowest id wins a tie. */
    private static int argmax(float[] logits) {
        int best = 0;
        for (int token = 1; token < logits.length; token++) {
            best = logits[token] > logits[best] ? token : best;
        }
        return best;
    }

    private static int draw(Sampling sampling, int position, float[] logits) {
        double uniform = CounterRandom.uniform(sampling.whole(SEED), position);
        float temperature = sampling.fraction(TEMPERATURE);
        long topK = sampling.whole(TOP_K);
        float topP = sampling.fraction(TOP_P);
        float minP = sampling.fraction(MIN_P);
        float greatest = logits[argmax(logits)];
        boolean all = topK == 0 && topP == 1 && minP == 0;
        int[] candidates = all ? byId(logits.length) : mostLikelyFirst(logits);
        int count = topK == 0 ? candidates.length : (int) Math.min(topK, candidates.length);

        // Not normalised: the greatest is 1. In double, since the smallest temperatures overflow a float.
        double[] probability = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            probability[i] = Math.exp(((double) logits[candidates[i]] - greatest) / temperature);
            sum += probability[i];
        }
        if (topP < 1) {
            double limit = topP * sum;
            sum = 0;
            int kept = 0;
            while (kept < count && sum < limit) {
                sum += probability[kept++];
            }
            count = kept;
        }
        if (minP > 0) {
            sum = 0;
            int kept = 0;
            while (kept < count && probability[kept] >= minP) {
                sum += probability[kept++];
            }
            count = kept;
        }
        double left = uniform * sum;
        int chosen = 0;
        for (int i = 0; i < count; i++) {
            if (probability[i] > 0) {
                chosen = i; // rounding may leave a remainder after the last possible one
                left -= probability[i];
                if (left < 0) {
                    break;
                }
            }
        }
        return candidates[chosen];
    }

    private static int[] byId(int vocabulary) {
        int[] ids = new int[vocabulary];
        Arrays.setAll(ids, i -> i);
        return ids;
    }

    /** Ids by descending logit, ties by ascending id. */
    private static int[] mostLikelyFirst(float[] logits) {
        long[] keys = new long[logits.length];
        for (int token = 0; token < logits.length; token++) {
            keys[token] = (long) ~ordered(logits[token]) << Integer.SIZE | token;
        }
        Arrays.sort(keys);
        return Arrays.stream(keys).mapToInt(key -> (int) key).toArray();
    }

    /** An int that compares as the float does: negative floats have their bits inverted. */
    private static int ordered(float value) {
        int bits = Float.floatToIntBits(value + 0f); // -0 becomes 0, which equals it
        return bits < 0 ? bits ^ Integer.MAX_VALUE : bits;
    }
}
