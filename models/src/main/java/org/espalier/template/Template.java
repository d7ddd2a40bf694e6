package org.espalier.template;

import java.time.Clock;
import java.util.List;
import java.util.Map;

/**
 * A parsed template. Immutable; may be rendered from several threads.
 *
 * <pre>{@code
 * Template.parse("Hello {{ name }}").render(Map.of("name", "world"))  // Hello world
 * }</pre>
 */
public final class Template {

    private final List<Statement> statements;

    private Template(List<Statement> statements) {
        this.statements = statements;
    }

    /** @throws TemplateException if the source is malformed or uses what this package does not cover */
    public static Template parse(String source) {
        try {
            return new Template(Parser.parse(source));
        } catch (StackOverflowError e) {
            throw tooDeep();
        }
    }

    /**
     * Renders with the system's clock.
     *
     * @param variables strings, numbers, booleans, nulls, and lists and maps of them
     * @throws TemplateException if the template refuses the variables, fails on them, or does too much
     */
    public String render(Map<String, ?> variables) {
        return render(variables, Clock.systemDefaultZone());
    }

    /** As {@link #render(Map)}, with the time that {@code strftime_now} tells. */
    public String render(Map<String, ?> variables, Clock clock) {
        Budget budget = new Budget();
        Scope globals = new Functions(budget, clock).scope();
        Scope context = new Scope(globals);
        variables.forEach((name, value) -> context.set(name, Values.fromJava(value)));
        try {
            return new Interpreter(budget).run(statements, context);
        } catch (StackOverflowError e) {
            throw tooDeep();
        }
    }

    /** The limits on nesting suffice on a usual thread's stack; this is for a caller's that is nearly full. */
    private static TemplateException tooDeep() {
        return new TemplateException(
                "it is nested too deep for this thread's stack: look for a macro that calls itself");
    }
}
