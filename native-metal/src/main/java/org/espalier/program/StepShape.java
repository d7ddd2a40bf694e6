package org.espalier.program;

/**
 * The size of a step, for its {@link Cost}.
 *
 * @param rows B, rows of the step
 * @param experts U, distinct experts that they touch in each layer
 * @param context rows that each of them sees, itself among them
 */
public record StepShape(int rows, int experts, int context) {}
