package org.espalier.template;

import java.util.HashMap;
import java.util.Map;

/** Variables of one block and, through its parent, of those around it; an assignment stays in its own block. */
final class Scope {

    private final Scope parent;
    private final Map<String, Object> variables = new HashMap<>();

    Scope(Scope parent) {
        this.parent = parent;
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Object value = scope.variables.get(name);
            if (value != null || scope.variables.containsKey(name)) {
                return value;
            }
        }
        return new Undefined("\"" + name + "\" is undefined: pass it as a variable or check the spelling");
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }
}
