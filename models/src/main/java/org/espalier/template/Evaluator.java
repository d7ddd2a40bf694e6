package org.espalier.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.template.Expression.CallArguments;

/** Computes expressions. */
final class Evaluator {

    /** Filters whose result is {@link Markup}. */
    private static final Set<String> MARKING = Set.of("safe", "escape", "e");

    private final Budget budget;
    private final Operators operators;
    private final Access access;
    private final Filters filters;
    private final Tests tests;

    Evaluator(Budget budget) {
        this.budget = budget;
        this.operators = new Operators(budget);
        this.access = new Access(budget, operators);
        this.tests = new Tests(operators);
        this.filters = new Filters(budget, operators, access, tests);
    }

    Object evaluate(Expression expression, Scope scope) {
        return Markup.plain(operand(expression, scope));
    }

    private Object operand(Expression expression, Scope scope) {
        budget.enter();
        Object value = value(expression, scope);
        budget.leave();
        return value;
    }

    private Object value(Expression expression, Scope scope) {
        if (expression instanceof Expression.Literal literal) {
            return literal.value();
        }
        if (expression instanceof Expression.Name name) {
            return scope.get(name.name());
        }
        if (expression instanceof Expression.Attribute attribute) {
            return access.attribute(evaluate(attribute.of(), scope), attribute.name());
        }
        if (expression instanceof Expression.Item item) {
            return access.item(evaluate(item.of(), scope), evaluate(item.index(), scope));
        }
        if (expression instanceof Expression.Slice slice) {
            return access.slice(
                    evaluate(slice.of(), scope),
                    Values.listOf(
                            optional(slice.start(), scope),
                            optional(slice.stop(), scope),
                            optional(slice.step(), scope)));
        }
        if (expression instanceof Expression.Call call) {
            return call(evaluate(call.callee(), scope), arguments(call.arguments(), scope));
        }
        if (expression instanceof Expression.Filter filter) {
            Object filtered = filter(filter, evaluate(filter.input(), scope), scope);
            return filtered instanceof String text && MARKING.contains(filter.name()) ? new Markup(text) : filtered;
        }
        if (expression instanceof Expression.Test test) {
            return tests.apply(test.name(), evaluate(test.input(), scope), arguments(test.arguments(), scope));
        }
        if (expression instanceof Expression.Conditional conditional) {
            return conditional(conditional, scope);
        }
        return isLogical(expression) ? logical(expression, scope) : constructed(expression, scope);
    }

    private static boolean isLogical(Expression expression) {
        return expression instanceof Expression.Not
                || expression instanceof Expression.And
                || expression instanceof Expression.Or
                || expression instanceof Expression.Comparison;
    }

    /** As in Python, {@code and} and {@code or} yield one of their operands. */
    private Object logical(Expression expression, Scope scope) {
        if (expression instanceof Expression.Not not) {
            return !Values.truth(evaluate(not.operand(), scope));
        }
        if (expression instanceof Expression.And and) {
            Object left = evaluate(and.left(), scope);
            return Values.truth(left) ? evaluate(and.right(), scope) : left;
        }
        if (expression instanceof Expression.Or or) {
            Object left = evaluate(or.left(), scope);
            return Values.truth(left) ? left : evaluate(or.right(), scope);
        }
        Expression.Comparison comparison = (Expression.Comparison) expression;
        Object left = evaluate(comparison.first(), scope);
        for (Expression.Link link : comparison.links()) {
            Object right = evaluate(link.operand(), scope);
            if (!operators.compare(link.operator(), left, right)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private Object constructed(Expression expression, Scope scope) {
        if (expression instanceof Expression.ListLiteral list) {
            return evaluateAll(list.elements(), scope);
        }
        if (expression instanceof Expression.TupleLiteral tuple) {
            return new Tuple(evaluateAll(tuple.elements(), scope));
        }
        if (expression instanceof Expression.DictLiteral dict) {
            Map<Object, Object> map = new LinkedHashMap<>();
            for (Expression.Entry entry : dict.entries()) {
                map.put(Values.key(evaluate(entry.key(), scope)), evaluate(entry.value(), scope));
            }
            return map;
        }
        if (expression instanceof Expression.Concatenation concatenation) {
            StringBuilder text = new StringBuilder();
            for (Expression part : concatenation.parts()) {
                String next = Text.of(evaluate(part, scope), budget);
                budget.grow(text.length(), next.length());
                text.append(next);
            }
            return text.toString();
        }
        if (expression instanceof Expression.Unary unary) {
            return unary(unary, evaluate(unary.operand(), scope));
        }
        Expression.Binary binary = (Expression.Binary) expression;
        return operators.binary(binary.operator(), operand(binary.left(), scope), operand(binary.right(), scope));
    }

    private static Object unary(Expression.Unary unary, Object operand) {
        if (!Values.isNumber(operand)) {
            throw new TemplateException(
                    "\"" + unary.operator() + "\" needs a number, found " + Values.typeName(operand));
        }
        return unary.operator().equals("-") ? Numbers.negate(operand) : operand;
    }

    private Object conditional(Expression.Conditional conditional, Scope scope) {
        if (Values.truth(evaluate(conditional.condition(), scope))) {
            return evaluate(conditional.then(), scope);
        }
        return conditional.otherwise() != null
                ? evaluate(conditional.otherwise(), scope)
                : new Undefined("the inline if has no else and its condition is false");
    }

    /** @param input takes the place of the filter's own input, which a filter block does not have */
    Object filter(Expression.Filter filter, Object input, Scope scope) {
        return filters.apply(filter.name(), input, arguments(filter.arguments(), scope));
    }

    /** Applies the filters of a filter block, innermost first, to the block's text. */
    Object filterChain(Expression.Filter filter, Object text, Scope scope) {
        Object input = filter.input() instanceof Expression.Filter inner ? filterChain(inner, text, scope) : text;
        return filter(filter, input, scope);
    }

    Object call(Object callee, Arguments arguments) {
        if (callee instanceof Callable callable) {
            return callable.call(arguments);
        }
        if (callee instanceof Undefined undefined) {
            throw undefined.error();
        }
        throw new TemplateException(Values.typeName(callee) + " cannot be called");
    }

    Arguments arguments(CallArguments arguments, Scope scope) {
        if (arguments == CallArguments.NONE) {
            return Arguments.NONE;
        }
        Map<String, Object> named = new LinkedHashMap<>();
        arguments.named().forEach((name, value) -> named.put(name, evaluate(value, scope)));
        return new Arguments(evaluateAll(arguments.positional(), scope), named);
    }

    private List<Object> evaluateAll(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }
        return values;
    }

    private Object optional(Expression expression, Scope scope) {
        return expression == null ? null : evaluate(expression, scope);
    }
}
