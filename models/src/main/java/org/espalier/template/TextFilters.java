package org.espalier.template;

import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters that take and give text; other input is printed first. */
final class TextFilters {

    private static final int MAX_INDENT = 1000;

    private final Budget budget;

    TextFilters(Budget budget) {
        this.budget = budget;
    }

    void addTo(Map<String, Filters.Filter> filters) {
        add(filters, "string", text -> text);
        add(filters, "safe", text -> text); // see Markup
        add(filters, "upper", text -> text.toUpperCase(Locale.ROOT));
        add(filters, "lower", text -> text.toLowerCase(Locale.ROOT));
        add(filters, "title", Strings::title);
        add(filters, "capitalize", Strings::capitalize);
        add(filters, "escape", text -> Markup.escape(text, budget));
        add(filters, "e", text -> Markup.escape(text, budget));
        filters.put(
                "trim",
                (input, arguments) -> budget.made(StringMethods.strip(text(input), arguments, budget, true, true)));
        filters.put(
                "replace", (input, arguments) -> budget.made(StringMethods.replace(text(input), arguments, budget)));
        filters.put(
                "format",
                (input, arguments) -> PercentFormat.format(text(input), new Tuple(arguments.positional()), budget));
        filters.put("wordcount", (input, arguments) ->
                (long) Splitting.split(text(input), Arguments.NONE, budget).size());
        filters.put("indent", this::indent);
        filters.put("tojson", this::toJson);
    }

    private void add(Map<String, Filters.Filter> filters, String name, UnaryOperator<String> filter) {
        filters.put(name, (input, arguments) -> budget.made(filter.apply(text(input))));
    }

    private String text(Object input) {
        String text = Text.of(input, budget);
        budget.chars(text.length());
        return text;
    }

    /** All lines but the first one further to the right; empty lines stay empty. */
    private Object indent(Object input, Arguments arguments) {
        String margin = margin(arguments.get(0, "width", 4L));
        boolean first = arguments.truth(1, "first", false);
        boolean blank = arguments.truth(2, "blank", false);
        StringBuilder out = new StringBuilder();
        String text = text(input);
        for (int from = 0; from <= text.length(); ) {
            int newline = text.indexOf('\n', from);
            int end = newline < 0 ? text.length() : newline;
            boolean moved = from == 0 ? first : blank || end > from;
            budget.grow(out.length(), (long) end - from + margin.length() + 1);
            out.append(from == 0 ? "" : "\n").append(moved ? margin : "").append(text, from, end);
            from = end + 1;
        }
        return out.toString();
    }

    private static String margin(Object width) {
        if (width instanceof String text) {
            return text;
        }
        if (width instanceof Long spaces) {
            return " ".repeat((int) Math.max(0, Math.min(MAX_INDENT, spaces)));
        }
        throw new TemplateException("an indentation must be an integer or a string, found " + Values.typeName(width));
    }

    /** As transformers has it: Python's {@code json.dumps} without escapes for other scripts or for HTML. */
    private Object toJson(Object input, Arguments arguments) {
        boolean ascii = arguments.truth(0, "ensure_ascii", false);
        Object indent = arguments.get(1, "indent", null);
        Object separators = arguments.get(2, "separators", null);
        boolean sort = arguments.truth(3, "sort_keys", false);
        String item = indent == null ? ", " : ",";
        String key = ": ";
        if (separators != null) {
            Arguments pair = new Arguments(Values.iterate(separators, budget), Map.of());
            item = StringMethods.required(pair, 0, "separators");
            key = StringMethods.required(pair, 1, "separators");
        }
        String margin = indent == null ? null : margin(indent);
        return Json.write(input, new Json.Options(margin, item, key, sort, ascii), budget);
    }
}
