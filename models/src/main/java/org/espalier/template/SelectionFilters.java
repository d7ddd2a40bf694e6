package org.espalier.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code map}, {@code select}, {@code reject} and their kin: filters that apply another filter or a test to every element. */
final class SelectionFilters {

    private final Budget budget;
    private final Access access;
    private final Filters filters;
    private final Tests tests;

    SelectionFilters(Budget budget, Access access, Filters filters, Tests tests) {
        this.budget = budget;
        this.access = access;
        this.filters = filters;
        this.tests = tests;
    }

    void addTo(Map<String, Filters.Filter> all) {
        all.put("map", this::map);
        all.put("select", (input, arguments) -> selected(input, null, arguments, true));
        all.put("reject", (input, arguments) -> selected(input, null, arguments, false));
        all.put("selectattr", (input, a) -> selected(input, a.require(0, "attribute"), a.skip(1), true));
        all.put("rejectattr", (input, a) -> selected(input, a.require(0, "attribute"), a.skip(1), false));
        all.put("groupby", this::groupBy);
        all.put("attr", (input, arguments) -> access.attribute(input, StringMethods.required(arguments, 0, "name")));
    }

    /** {@code map("filter", ...)} or {@code map(attribute="name", default=...)}. */
    private Object map(Object input, Arguments arguments) {
        List<Object> mapped = new ArrayList<>();
        Object attribute = arguments.named().get("attribute");
        for (Object element : elements(input)) {
            if (attribute == null) {
                String filter = StringMethods.required(arguments, 0, "filter");
                mapped.add(filters.apply(filter, element, arguments.skip(1)));
            } else {
                Object value = access.path(element, attribute);
                mapped.add(value instanceof Undefined ? arguments.get(Integer.MAX_VALUE, "default", value) : value);
            }
        }
        return mapped;
    }

    /** @param attribute null to test the element itself; without a test, the truth decides */
    private Object selected(Object input, Object attribute, Arguments test, boolean keep) {
        List<Object> selected = new ArrayList<>();
        for (Object element : elements(input)) {
            Object value = attribute == null ? element : access.path(element, attribute);
            boolean holds = test.has(0, "test")
                    ? tests.apply(StringMethods.required(test, 0, "test"), value, test.skip(1))
                    : Values.truth(value);
            if (holds == keep) {
                selected.add(element);
            }
        }
        return selected;
    }

    /** None, like everything that is false, has no elements here. */
    private List<Object> elements(Object input) {
        return Values.truth(input) ? Values.iterate(input, budget) : List.of();
    }

    /** Pairs of a value and the elements that have it, in the order of the values. */
    private Object groupBy(Object input, Arguments arguments) {
        Object attribute = arguments.require(0, "attribute");
        Map<Object, Object> groups = new LinkedHashMap<>();
        Object sorted = filters.apply("sort", input, new Arguments(List.of(), Map.of("attribute", attribute)));
        for (Object element : Values.sequence(sorted)) {
            Object key = Values.key(access.path(element, attribute));
            Values.sequence(groups.computeIfAbsent(key, k -> new ArrayList<>())).add(element);
        }
        return access.items(groups);
    }
}
