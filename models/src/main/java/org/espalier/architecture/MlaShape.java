package org.espalier.architecture;

/**
 * The widths of multi-head latent attention, <a href="https://arxiv.org/abs/2405.04434">DeepSeek V2</a> section 2.1.
 *
 * @param heads H
 * @param rank width of the latent
 * @param nope columns of a head's query and key without position
 * @param value columns of a head's value
 */
public record MlaShape(int heads, int rank, int nope, int value) {}
