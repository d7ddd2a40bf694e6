package org.espalier.engine;

/**
 * Routing decisions of a step: [MoE layer][row][width], flat.
 *
 * @param layers the checkpoint's indices of the MoE layers, ascending
 * @param rows T
 * @param width K, or less or more where router edits changed top-k; unused places hold expert -1 and weight 0
 * @param experts global expert ids
 * @param weights the factors that multiply the experts' outputs: after normalisation and scaling
 */
public record Routing(int[] layers, int rows, int width, short[] experts, float[] weights) {

    public Routing {
        int expected = layers.length * rows * width;
        if (experts.length != expected || weights.length != expected) {
            throw new IllegalArgumentException("routing of " + layers.length + " layers x " + rows + " rows x " + width
                    + " needs " + expected + " decisions, found " + experts.length + " experts and " + weights.length
                    + " weights");
        }
    }
}
