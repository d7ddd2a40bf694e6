package org.espalier.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** The one value that a template can change: what a loop leaves behind for after the loop. */
record Namespace(Map<String, Object> attributes) {
    Namespace() {
        this(new LinkedHashMap<>());
    }
}
