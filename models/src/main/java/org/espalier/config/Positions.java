package org.espalier.config;

import java.util.Set;

/**
 * Rotary positions.
 *
 * @param dimensions columns of a head that rotate
 * @param theta base of the frequencies
 */
public record Positions(int dimensions, float theta, RopeScaling scaling) {

    /** Of a model whose layers all rotate alike; {@code rope_theta} and {@code rope_scaling}, or {@code rope_parameters}. */
    public static Positions read(ConfigReader config, int dimensions, float defaultTheta, Set<String> served) {
        return RopeReader.read(config, dimensions, defaultTheta, served);
    }

    /** Of one type of layers, which has an object of its own in {@code rope_parameters}; the default where it has none. */
    public static Positions ofLayers(
            ConfigReader config, String layerType, int dimensions, float defaultTheta, Set<String> served) {
        return RopeReader.ofLayers(config, layerType, dimensions, defaultTheta, served);
    }

    /**
     * How many columns of a head rotate in one type of layers.
     *
     * @param width of a head
     * @param part the fraction where {@code rope_parameters} has none
     */
    public static int rotated(ConfigReader config, String layerType, int width, float part) {
        return RopeReader.rotatedInLayers(config, layerType, width, part);
    }
}
