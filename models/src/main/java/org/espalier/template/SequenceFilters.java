package org.espalier.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Filters over the elements of a value. */
final class SequenceFilters {

    private final Budget budget;
    private final Operators operators;
    private final Access access;

    SequenceFilters(Budget budget, Operators operators, Access access) {
        this.budget = budget;
        this.operators = operators;
        this.access = access;
    }

    void addTo(Map<String, Filters.Filter> filters) {
        filters.put("length", (input, arguments) -> length(input));
        filters.put("count", (input, arguments) -> length(input));
        filters.put("list", (input, arguments) -> new ArrayList<>(Values.iterate(input, budget)));
        filters.put("first", (input, arguments) -> end(input, true));
        filters.put("last", (input, arguments) -> end(input, false));
        filters.put("join", this::join);
        filters.put("items", this::items);
        filters.put("dictsort", this::dictSort);
        filters.put("reverse", this::reverse);
        filters.put("sort", this::sort);
        filters.put("unique", this::unique);
        filters.put("min", (input, arguments) -> extreme(input, -1));
        filters.put("max", (input, arguments) -> extreme(input, 1));
        filters.put("batch", this::batch);
    }

    private Object length(Object input) {
        return Values.length(input instanceof String text ? budget.made(text) : input);
    }

    private Object end(Object input, boolean first) {
        List<Object> elements = Values.iterate(input, budget);
        if (elements.isEmpty()) {
            return new Undefined("an empty sequence has no " + (first ? "first" : "last") + " element");
        }
        return elements.get(first ? 0 : elements.size() - 1);
    }

    private Object join(Object input, Arguments arguments) {
        Object attribute = arguments.get(1, "attribute", null);
        List<Object> elements = Values.iterate(input, budget);
        if (attribute != null) {
            elements = elements.stream()
                    .map(element -> access.path(element, attribute))
                    .toList();
        }
        return join(elements, arguments.text(0, "d", ""), budget);
    }

    static String join(List<Object> elements, String separator, Budget budget) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < elements.size(); i++) {
            String text = Text.of(elements.get(i), budget);
            budget.grow(out.length(), (long) text.length() + separator.length());
            out.append(i == 0 ? "" : separator).append(text);
        }
        return out.toString();
    }

    private Object items(Object input, Arguments arguments) {
        if (input instanceof Undefined) {
            return List.of();
        }
        if (!(input instanceof Map)) {
            throw new TemplateException("\"items\" needs a dictionary, found " + Values.typeName(input));
        }
        return access.items(Values.map(input));
    }

    private Object dictSort(Object input, Arguments arguments) {
        if (!(input instanceof Map)) {
            throw new TemplateException("\"dictsort\" needs a dictionary, found " + Values.typeName(input));
        }
        int place = arguments.text(1, "by", "key").equals("value") ? 1 : 0;
        Comparator<Object> order = order(arguments.truth(0, "case_sensitive", false));
        return sorted(
                access.items(Values.map(input)),
                Comparator.comparing(item -> Values.sequence(item).get(place), order),
                arguments.truth(2, "reverse", false));
    }

    private Object reverse(Object input, Arguments arguments) {
        if (input instanceof String text) {
            return new StringBuilder(budget.made(text)).reverse().toString();
        }
        List<Object> elements = new ArrayList<>(Values.iterate(input, budget));
        Collections.reverse(elements);
        return elements;
    }

    private Object sort(Object input, Arguments arguments) {
        Object attribute = arguments.get(2, "attribute", null);
        Comparator<Object> order = order(arguments.truth(1, "case_sensitive", false));
        Comparator<Object> byAttribute = Comparator.comparing(element -> access.path(element, attribute), order);
        return sorted(
                Values.iterate(input, budget),
                attribute == null ? order : byAttribute,
                arguments.truth(0, "reverse", false));
    }

    private List<Object> sorted(List<Object> elements, Comparator<Object> order, boolean reverse) {
        List<Object> sorted = new ArrayList<>(elements);
        sorted.sort(reverse ? order.reversed() : order);
        return sorted;
    }

    private Comparator<Object> order(boolean caseSensitive) {
        return (left, right) -> {
            budget.step();
            return operators.order(folded(left, caseSensitive), folded(right, caseSensitive));
        };
    }

    private Object folded(Object value, boolean caseSensitive) {
        return !caseSensitive && value instanceof String text
                ? budget.made(text).toLowerCase(Locale.ROOT)
                : value;
    }

    private Object unique(Object input, Arguments arguments) {
        boolean caseSensitive = arguments.truth(0, "case_sensitive", false);
        List<Object> seen = new ArrayList<>();
        List<Object> unique = new ArrayList<>();
        for (Object element : Values.iterate(input, budget)) {
            Object folded = folded(element, caseSensitive);
            if (!operators.contains(seen, folded)) {
                seen.add(folded);
                unique.add(element);
            }
        }
        return unique;
    }

    private Object extreme(Object input, int sign) {
        List<Object> elements = Values.iterate(input, budget);
        if (elements.isEmpty()) {
            return new Undefined("an empty sequence has no least or greatest element");
        }
        Object best = elements.get(0);
        for (Object element : elements) {
            best = order(false).compare(element, best) * sign > 0 ? element : best;
        }
        return best;
    }

    private Object batch(Object input, Arguments arguments) {
        int size = arguments.integer(0, "linecount", 1);
        if (size < 1) {
            throw new TemplateException("\"batch\" needs a size above zero");
        }
        List<Object> elements = Values.iterate(input, budget);
        Object fill = arguments.get(1, "fill_with", null);
        List<Object> batches = new ArrayList<>();
        for (int i = 0; i < elements.size(); i += size) {
            List<Object> batch = new ArrayList<>(elements.subList(i, Math.min(elements.size(), i + size)));
            for (budget.elements(fill == null ? 0 : size); fill != null && batch.size() < size; ) {
                batch.add(fill);
            }
            batches.add(batch);
        }
        return batches;
    }
}
