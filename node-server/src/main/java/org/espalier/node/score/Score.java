package org.espalier.node.score;

/**
 * What a model made of one row of tokens.
 *
 * @param tokens that were predicted: all of the row but the first
 * @param nats minus the logarithm of their probability, summed
 * @param layers the checkpoint's indices of the MoE layers, ascending; empty for a dense model
 * @param load [MoE layer][E] how often each expert was chosen, the row's last token left out
 */
public record Score(int tokens, double nats, int[] layers, long[][] load) {}
