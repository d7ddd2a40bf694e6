package org.espalier.node.sampling;

import org.espalier.engine.EngineException;

/** The logarithm of a softmax at one token. */
public final class Logprob {

    private Logprob() {}

    /**
     * The natural logarithm of a token's probability. Sums in double, with the greatest logit subtracted.
     *
     * @param logits [V]; minus infinity for a token that is never chosen
     * @return minus infinity for such a token
     * @throws EngineException if a logit is NaN or plus infinity, or none is finite
     */
    public static double of(float[] logits, int token) {
        double greatest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            greatest = Math.max(greatest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - greatest);
        }
        double logprob = logits[token] - (Math.log(sum) + greatest);
        if (Double.isNaN(logprob)) {
            throw new EngineException(
                    "the log-probability of token " + token + " is not a number, the greatest logit is " + greatest
                            + ": the model's computation overflowed; load it with precision float32");
        }
        return logprob;
    }
}
