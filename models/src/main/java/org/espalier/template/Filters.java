package org.espalier.template;

import java.util.HashMap;
import java.util.Map;

/** What can stand after {@code |}: filters of text, of sequences and of numbers, by name. */
final class Filters {

    /** One filter; the input is what stands before the bar. */
    interface Filter {
        Object apply(Object input, Arguments arguments);
    }

    private final Map<String, Filter> filters = new HashMap<>();

    Filters(Budget budget, Operators operators, Access access, Tests tests) {
        new TextFilters(budget).addTo(filters);
        new NumberFilters(budget, access).addTo(filters);
        new SequenceFilters(budget, operators, access).addTo(filters);
        new SelectionFilters(budget, access, this, tests).addTo(filters);
        filters.put("default", Filters::fallback);
        filters.put("d", Filters::fallback);
    }

    Object apply(String name, Object input, Arguments arguments) {
        Filter filter = filters.get(name);
        if (filter == null) {
            throw new TemplateException("there is no filter \"" + name + "\"");
        }
        return filter.apply(input, arguments);
    }

    private static Object fallback(Object input, Arguments arguments) {
        boolean alsoIfFalse = arguments.truth(1, "boolean", false);
        boolean missing = input instanceof Undefined || alsoIfFalse && !Values.truth(input);
        return missing ? arguments.get(0, "default_value", "") : input;
    }
}
