package org.espalier.template;

import java.util.List;

/** What a template does, in order. */
sealed interface Statement {

    /** The line of its tag, for messages. */
    int line();

    record Data(String text, int line) implements Statement {}

    record Output(Expression value, int line) implements Statement {}

    /** The first branch whose condition is true; an else is a branch whose condition is null. */
    record If(List<Branch> branches, int line) implements Statement {}

    record Branch(Expression condition, List<Statement> body) {}

    /** @param filter null, or what an element must meet to be looped over */
    record For(
            Target target,
            Expression iterable,
            Expression filter,
            List<Statement> body,
            List<Statement> orElse,
            int line)
            implements Statement {}

    record Assign(Target target, Expression value, int line) implements Statement {}

    /** {@code {% set name %}text{% endset %}}. */
    record AssignBlock(Target target, Expression.Filter filter, List<Statement> body, int line) implements Statement {}

    record Macro(String name, List<Parameter> parameters, List<Statement> body, int line) implements Statement {}

    /** @param fallback null where the argument has no default */
    record Parameter(String name, Expression fallback) {}

    /** {@code {% call(parameters) macro(...) %}body{% endcall %}}: the macro gets the body as {@code caller}. */
    record CallBlock(Macro caller, Expression.Call call, int line) implements Statement {}

    record FilterBlock(Expression.Filter filter, List<Statement> body, int line) implements Statement {}

    /** Assignments that hold inside of the body only; none for a bare scope. */
    record With(List<Assign> assignments, List<Statement> body, int line) implements Statement {}

    record Do(Expression value, int line) implements Statement {}

    record Break(int line) implements Statement {}

    record Continue(int line) implements Statement {}

    /** Where an assignment goes. */
    sealed interface Target {
        record Variable(String name) implements Target {}

        record NamespaceAttribute(String namespace, String attribute) implements Target {}

        record Unpacking(List<Target> targets) implements Target {}
    }
}
