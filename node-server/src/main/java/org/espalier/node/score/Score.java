package org.espalier.node.score;

/**
 * How well a model predicted one row of tokens.
 *
 * @param tokens that were predicted: all of the row but the first
 * @param nats the sum of their negative log-probabilities
 * @param layers the checkpoint's indices of the MoE layers, ascending; empty for a dense model
 * @param load [MoE layer][E] how often each expert was chosen, without the row's last token
 */
public record Score(int tokens, double nats, int[] layers, long[][] load) {}
