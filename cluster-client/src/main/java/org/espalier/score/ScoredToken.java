package org.espalier.score;

/**
 * A token of a text and how much it surprised the model.
 *
 * @param position in the sequence that the model read, which begins with 0
 * @param text that the token completes; empty where the first bytes of a character end, or the model has no tokenizer
 * @param bits -log2 of the probability that the token had after all tokens before it; infinite if it had none
 */
public record ScoredToken(int position, int id, String text, double bits) {}
