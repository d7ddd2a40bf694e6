/**
 * Where the bytes of a model's matrices lie ({@link org.espalier.weights.Weight}), how their values are stored ({@link
 * org.espalier.weights.WeightFormat}), and reading them as floats. Knows no program and no engine.
 */
package org.espalier.weights;
