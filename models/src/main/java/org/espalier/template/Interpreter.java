package org.espalier.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.template.Statement.Target;

/** Executes statements, writing to one text. */
final class Interpreter {

    /** How a list of statements ended. */
    private enum Flow {
        ON,
        BREAK,
        CONTINUE
    }

    private final Budget budget;
    private final Evaluator evaluator;
    private StringBuilder out = new StringBuilder();

    Interpreter(Budget budget) {
        this.budget = budget;
        this.evaluator = new Evaluator(budget);
    }

    String run(List<Statement> statements, Scope scope) {
        executeAll(statements, scope);
        return out.toString();
    }

    private Flow executeAll(List<Statement> statements, Scope scope) {
        budget.enter();
        Flow flow = Flow.ON;
        for (int i = 0; flow == Flow.ON && i < statements.size(); i++) {
            Statement statement = statements.get(i);
            try {
                flow = execute(statement, scope);
            } catch (TemplateException e) {
                throw e.at(statement.line());
            }
        }
        budget.leave();
        return flow;
    }

    private Flow execute(Statement statement, Scope scope) {
        budget.step();
        if (statement instanceof Statement.Data data) {
            write(data.text());
        } else if (statement instanceof Statement.Output output) {
            write(Text.of(evaluator.evaluate(output.value(), scope), budget));
        } else if (statement instanceof Statement.If branches) {
            return choose(branches, scope);
        } else if (statement instanceof Statement.For loop) {
            loop(loop, scope);
        } else if (statement instanceof Statement.Assign assign) {
            assign(assign.target(), evaluator.evaluate(assign.value(), scope), scope);
        } else if (statement instanceof Statement.AssignBlock assign) {
            assign(assign.target(), filtered(assign.filter(), assign.body(), scope), scope);
        } else if (statement instanceof Statement.FilterBlock block) {
            write(Text.of(filtered(block.filter(), block.body(), scope), budget));
        } else if (statement instanceof Statement.Macro macro) {
            scope.set(macro.name(), function(macro, scope));
        } else if (statement instanceof Statement.CallBlock block) {
            callBlock(block, scope);
        } else if (statement instanceof Statement.With with) {
            return with(with, scope);
        } else if (statement instanceof Statement.Do action) {
            evaluator.evaluate(action.value(), scope);
        } else {
            return statement instanceof Statement.Break ? Flow.BREAK : Flow.CONTINUE;
        }
        return Flow.ON;
    }

    private void write(String text) {
        budget.grow(out.length(), text.length());
        out.append(text);
    }

    /** The text that the statements write, instead of writing it. */
    private String capture(List<Statement> body, Scope scope) {
        StringBuilder outer = out;
        out = new StringBuilder();
        try {
            executeAll(body, scope);
            return out.toString();
        } finally {
            out = outer;
        }
    }

    private Object filtered(Expression.Filter filter, List<Statement> body, Scope scope) {
        String text = capture(body, new Scope(scope));
        return filter == null ? text : evaluator.filterChain(filter, text, scope);
    }

    private Flow choose(Statement.If statement, Scope scope) {
        for (Statement.Branch branch : statement.branches()) {
            if (branch.condition() == null || Values.truth(evaluator.evaluate(branch.condition(), scope))) {
                return executeAll(branch.body(), scope);
            }
        }
        return Flow.ON;
    }

    private void loop(Statement.For loop, Scope scope) {
        List<Object> elements = elements(loop, scope);
        if (elements.isEmpty()) {
            executeAll(loop.orElse(), new Scope(scope));
            return;
        }
        int depth = scope.get("loop") instanceof Loop outer ? outer.depth() + 1 : 1;
        Loop state = new Loop(elements, depth);
        for (int i = 0; i < elements.size(); i++) {
            state.moveTo(i);
            Scope body = new Scope(scope);
            body.set("loop", state);
            assign(loop.target(), elements.get(i), body);
            if (executeAll(loop.body(), body) == Flow.BREAK) {
                return;
            }
        }
    }

    private List<Object> elements(Statement.For loop, Scope scope) {
        List<Object> all = Values.iterate(evaluator.evaluate(loop.iterable(), scope), budget);
        if (loop.filter() == null) {
            return all;
        }
        List<Object> kept = new ArrayList<>();
        for (Object element : all) {
            Scope candidate = new Scope(scope);
            assign(loop.target(), element, candidate);
            if (Values.truth(evaluator.evaluate(loop.filter(), candidate))) {
                kept.add(element);
            }
        }
        return kept;
    }

    private Flow with(Statement.With with, Scope scope) {
        Scope body = new Scope(scope);
        for (Statement.Assign assignment : with.assignments()) {
            assign(assignment.target(), evaluator.evaluate(assignment.value(), scope), body);
        }
        return executeAll(with.body(), body);
    }

    private void assign(Target target, Object value, Scope scope) {
        if (target instanceof Target.Variable variable) {
            scope.set(variable.name(), value);
        } else if (target instanceof Target.NamespaceAttribute attribute) {
            if (!(scope.get(attribute.namespace()) instanceof Namespace namespace)) {
                throw new TemplateException("\"" + attribute.namespace()
                        + "\" is not a namespace, so its attributes cannot be set: " + "make it with namespace()");
            }
            namespace.attributes().put(attribute.attribute(), value);
        } else {
            List<Target> targets = ((Target.Unpacking) target).targets();
            List<Object> values = Values.iterate(value, budget);
            if (values.size() != targets.size()) {
                throw new TemplateException(
                        values.size() + " values cannot be unpacked into " + targets.size() + " variables");
            }
            for (int i = 0; i < targets.size(); i++) {
                assign(targets.get(i), values.get(i), scope);
            }
        }
    }

    /** A macro sees the variables around its definition, not those around its call. */
    private Callable function(Statement.Macro macro, Scope definition) {
        return arguments -> {
            Scope scope = new Scope(definition);
            bind(macro, arguments, scope);
            return capture(macro.body(), scope);
        };
    }

    private void bind(Statement.Macro macro, Arguments arguments, Scope scope) {
        List<Statement.Parameter> parameters = macro.parameters();
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        for (int i = 0; i < parameters.size(); i++) {
            Statement.Parameter parameter = parameters.get(i);
            Object value;
            if (arguments.has(i, parameter.name())) {
                value = arguments.get(i, parameter.name(), null);
            } else if (parameter.fallback() != null) {
                value = evaluator.evaluate(parameter.fallback(), scope);
            } else {
                value = new Undefined(
                        "the argument \"" + parameter.name() + "\" of " + macro.name() + " was not given");
            }
            named.remove(parameter.name());
            scope.set(parameter.name(), value);
        }
        Object caller = named.remove("caller");
        if (caller != null) {
            scope.set("caller", caller);
        }
        if (!named.isEmpty()) {
            throw new TemplateException(macro.name() + " has no argument \""
                    + named.keySet().iterator().next() + "\"");
        }
        scope.set("varargs", new Tuple(arguments.skip(parameters.size()).positional()));
    }

    private void callBlock(Statement.CallBlock block, Scope scope) {
        Object macro = evaluator.evaluate(block.call().callee(), scope);
        Arguments given = evaluator.arguments(block.call().arguments(), scope);
        Map<String, Object> named = new LinkedHashMap<>(given.named());
        named.put("caller", function(block.caller(), scope));
        write(Text.of(evaluator.call(macro, new Arguments(given.positional(), named)), budget));
    }
}
