package org.espalier.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template can call. */
final class Functions {

    private final Budget budget;
    private final Clock clock;

    Functions(Budget budget, Clock clock) {
        this.budget = budget;
        this.clock = clock;
    }

    Scope scope() {
        Scope scope = new Scope(null);
        scope.set("range", (Callable) this::range);
        scope.set("namespace", (Callable) arguments -> new Namespace(toMap(arguments)));
        scope.set("dict", (Callable) arguments -> new LinkedHashMap<Object, Object>(toMap(arguments)));
        scope.set("raise_exception", (Callable) Functions::refuse);
        scope.set("strftime_now", (Callable) this::now);
        return scope;
    }

    private Object range(Arguments arguments) {
        boolean two = arguments.positional().size() > 1;
        long start = two ? arguments.integer(0, "start", 0) : 0;
        long stop = arguments.integer(two ? 1 : 0, "stop", 0);
        long step = arguments.integer(2, "step", 1);
        arguments.require(0, "stop");
        if (step == 0) {
            throw new TemplateException("range needs a step that is not zero");
        }
        budget.elements(Math.max(0, (stop - start) / step));
        List<Object> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            numbers.add(i);
        }
        return numbers;
    }

    private Map<String, Object> toMap(Arguments arguments) {
        Map<String, Object> map = new LinkedHashMap<>();
        if (!arguments.positional().isEmpty()) {
            if (!(arguments.positional().get(0) instanceof Map<?, ?> initial)) {
                throw new TemplateException("a dictionary or named arguments are needed here");
            }
            budget.elements(initial.size());
            initial.forEach((key, value) -> map.put(Text.of(key, budget), value));
        }
        map.putAll(arguments.named());
        return map;
    }

    private static Object refuse(Arguments arguments) {
        throw new TemplateException(
                "the template refuses this conversation: " + arguments.text(0, "message", "no reason given"));
    }

    private Object now(Arguments arguments) {
        String format = StringMethods.required(arguments, 0, "format");
        budget.steps(format.length()); // a field costs as much as a step
        return budget.made(Strftime.format(format, ZonedDateTime.now(clock)));
    }
}
