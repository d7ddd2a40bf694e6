package org.espalier.node.sampling;

/**
 * A chosen token.
 *
 * @param logprob natural logarithm of its probability in the model's own distribution: before penalty, temperature, top-k and top-p, so
 *     that values of different options can be compared
 */
public record Sampled(int token, float logprob) {}
