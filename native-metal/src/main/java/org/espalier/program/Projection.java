package org.espalier.program;

import java.util.List;

/**
 * W x + b, by the names of its weights.
 *
 * @param weight [rows, columns], as many as there are matrices
 * @param bias [1, rows] or [rows, 1], as many, or null
 */
public record Projection(String weight, String bias) {

    public static Projection of(String weight) {
        return new Projection(weight, null);
    }

    List<String> weights() {
        return bias == null ? List.of(weight) : List.of(weight, bias);
    }
}
