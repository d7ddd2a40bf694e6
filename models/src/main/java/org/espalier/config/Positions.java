package org.espalier.config;

/**
 * Rotary positions.
 *
 * @param dimensions columns of a head that rotate
 * @param theta base of the frequencies
 */
public record Positions(int dimensions, float theta, RopeScaling scaling) {}
