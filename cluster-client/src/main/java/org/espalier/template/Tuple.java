package org.espalier.template;

import java.util.List;

/** A list that prints with parentheses. */
record Tuple(List<Object> elements) {
    static Tuple of(Object... elements) {
        return new Tuple(java.util.Arrays.asList(elements));
    }
}
