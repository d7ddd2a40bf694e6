package org.espalier.model;

/**
 * Rotary positions.
 *
 * @param dimensions columns of a head that turn
 * @param theta base of the frequencies
 */
public record Positions(int dimensions, float theta, RopeScaling scaling) {}
