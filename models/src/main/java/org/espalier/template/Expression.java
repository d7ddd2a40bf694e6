package org.espalier.template;

import java.util.List;
import java.util.Map;

/** What a template computes; the names are those of Jinja's grammar. */
sealed interface Expression {

    /** A string, integer (long), float (double), boolean or none (null). */
    record Literal(Object value) implements Expression {}

    record Name(String name) implements Expression {}

    record ListLiteral(List<Expression> elements) implements Expression {}

    record TupleLiteral(List<Expression> elements) implements Expression {}

    record DictLiteral(List<Entry> entries) implements Expression {}

    record Entry(Expression key, Expression value) {}

    /** {@code of.name}: an attribute if there is one, else an item. */
    record Attribute(Expression of, String name) implements Expression {}

    /** {@code of[index]}: an item if there is one, else an attribute. */
    record Item(Expression of, Expression index) implements Expression {}

    /** {@code of[start:stop:step]}; a part left out is null. */
    record Slice(Expression of, Expression start, Expression stop, Expression step) implements Expression {}

    record Call(Expression callee, CallArguments arguments) implements Expression {}

    /** @param input null in a filter block, where the block's text takes its place */
    record Filter(Expression input, String name, CallArguments arguments) implements Expression {}

    record Test(Expression input, String name, CallArguments arguments) implements Expression {}

    record Not(Expression operand) implements Expression {}

    record And(Expression left, Expression right) implements Expression {}

    record Or(Expression left, Expression right) implements Expression {}

    /** @param operator {@code + -} */
    record Unary(String operator, Expression operand) implements Expression {}

    /** @param operator {@code + - * / // % **} */
    record Binary(String operator, Expression left, Expression right) implements Expression {}

    /** {@code a < b < c}: every neighbouring pair must hold. */
    record Comparison(Expression first, List<Link> links) implements Expression {}

    /** @param operator {@code == != < <= > >= in}, or {@code not in} */
    record Link(String operator, Expression operand) {}

    /** {@code a ~ b ~ c}, as strings. */
    record Concatenation(List<Expression> parts) implements Expression {}

    /** {@code then if condition else otherwise}; without an else null, which yields undefined. */
    record Conditional(Expression condition, Expression then, Expression otherwise) implements Expression {}

    record CallArguments(List<Expression> positional, Map<String, Expression> named) {
        static final CallArguments NONE = new CallArguments(List.of(), Map.of());
    }
}
