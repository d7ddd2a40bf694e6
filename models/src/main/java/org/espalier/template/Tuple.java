package org.espalier.template;

import java.util.Arrays;
import java.util.List;

/** A list that prints with parentheses. */
record Tuple(List<Object> elements) {
    static Tuple of(Object... elements) {
        return new Tuple(Arrays.asList(elements));
    }
}
