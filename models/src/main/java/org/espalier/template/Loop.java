package org.espalier.template;

import java.util.List;

/** The variable {@code loop} inside of a loop. */
final class Loop {

    private final List<Object> elements;
    private final int depth;
    private int index;
    private Object lastChecked = this;

    Loop(List<Object> elements, int depth) {
        this.elements = elements;
        this.depth = depth;
    }

    void moveTo(int newIndex) {
        index = newIndex;
    }

    int depth() {
        return depth;
    }

    Object attribute(String name, Operators operators) {
        long length = elements.size();
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> length - index;
            case "revindex0" -> length - index - 1;
            case "first" -> index == 0;
            case "last" -> index == length - 1;
            case "length" -> length;
            case "depth" -> (long) depth;
            case "depth0" -> depth - 1L;
            case "previtem" -> index > 0 ? elements.get(index - 1) : new Undefined("there is no previous item");
            case "nextitem" -> index < length - 1 ? elements.get(index + 1) : new Undefined("there is no next item");
            case "cycle" -> (Callable) this::cycle;
            case "changed" -> (Callable) arguments -> changed(arguments.positional(), operators);
            default -> new Undefined("\"loop\" has no attribute \"" + name + "\"");
        };
    }

    private Object cycle(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new TemplateException("loop.cycle needs at least one argument");
        }
        return arguments.positional().get(index % arguments.positional().size());
    }

    private boolean changed(List<Object> value, Operators operators) {
        boolean changed = lastChecked == this || !operators.equal(lastChecked, value);
        lastChecked = value;
        return changed;
    }
}
