package org.espalier.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.template.Expression.Attribute;
import org.espalier.template.Expression.Binary;
import org.espalier.template.Expression.Call;
import org.espalier.template.Expression.CallArguments;
import org.espalier.template.Expression.Literal;
import org.espalier.template.Expression.Name;
import org.espalier.template.Token.Kind;

/** Expressions by recursive descent; each method is one level of precedence, loosest first. */
final class ExpressionParser {

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenStream tokens;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /** One expression, or several with commas between, which make a tuple. */
    Expression parseTuple() {
        Expression first = parse();
        if (!tokens.atOperator(",")) {
            return first;
        }
        List<Expression> elements = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",") && !atTupleEnd()) {
            elements.add(parse());
        }
        return new Expression.TupleLiteral(elements);
    }

    Expression parse() {
        tokens.enter();
        Expression value = or();
        while (tokens.skipName("if")) {
            Expression condition = or();
            value = new Expression.Conditional(condition, value, tokens.skipName("else") ? parse() : null);
        }
        tokens.leave();
        return value;
    }

    /** An expression without an inline {@code if}, as a loop's iterable, after which {@code if} is a filter. */
    Expression parseIterable() {
        Expression first = or();
        if (!tokens.atOperator(",")) {
            return first;
        }
        List<Expression> elements = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",") && !atTupleEnd()) {
            elements.add(or());
        }
        return new Expression.TupleLiteral(elements);
    }

    private boolean atTupleEnd() {
        return tokens.at(Kind.BLOCK_END) || tokens.at(Kind.OUTPUT_END) || tokens.atOperator(")");
    }

    private Expression or() {
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Expression.Or(left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new Expression.And(left, not());
        }
        return left;
    }

    private Expression not() {
        if (!tokens.skipName("not")) {
            return comparison();
        }
        tokens.enter();
        Expression operand = not();
        tokens.leave();
        return new Expression.Not(operand);
    }

    private Expression comparison() {
        Expression first = sum();
        List<Expression.Link> links = new ArrayList<>();
        while (true) {
            Token token = tokens.peek();
            if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                links.add(new Expression.Link(tokens.next().text(), sum()));
            } else if (tokens.skipName("in")) {
                links.add(new Expression.Link("in", sum()));
            } else if (token.isName("not") && tokens.peekSecond().isName("in")) {
                tokens.next();
                tokens.next();
                links.add(new Expression.Link("not in", sum()));
            } else {
                return links.isEmpty() ? first : new Expression.Comparison(first, links);
            }
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.atOperator("+") || tokens.atOperator("-")) {
            left = new Binary(tokens.next().text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression first = product();
        if (!tokens.atOperator("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (tokens.skipOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concatenation(parts);
    }

    private Expression product() {
        Expression left = power();
        while (tokens.atOperator("*") || tokens.atOperator("/") || tokens.atOperator("//") || tokens.atOperator("%")) {
            left = new Binary(tokens.next().text(), left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = filtered(signed());
        while (tokens.atOperator("**")) {
            left = new Binary(tokens.next().text(), left, filtered(signed()));
        }
        return left;
    }

    /** A sign binds tighter than a filter: {@code -1|abs} is {@code (-1)|abs}. */
    private Expression signed() {
        if (!tokens.atOperator("-") && !tokens.atOperator("+")) {
            return postfix(primary());
        }
        tokens.enter();
        Expression value = new Expression.Unary(tokens.next().text(), signed());
        tokens.leave();
        return value;
    }

    private Expression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case STRING -> adjacentStrings(token);
            case INTEGER -> integer(token);
            case FLOAT -> new Literal(Double.valueOf(token.text()));
            case NAME ->
                switch (token.text()) {
                    case "true", "True" -> new Literal(true);
                    case "false", "False" -> new Literal(false);
                    case "none", "None" -> new Literal(null);
                    default -> new Name(token.text());
                };
            case OPERATOR ->
                switch (token.text()) {
                    case "(" -> parenthesized();
                    case "[" -> new Expression.ListLiteral(elements("]"));
                    case "{" -> dict();
                    default -> throw notAnExpression(token);
                };
            default -> throw notAnExpression(token);
        };
    }

    private static TemplateException notAnExpression(Token token) {
        return new TemplateException("expected an expression, found " + token.describe(), token.line());
    }

    private static Expression integer(Token token) {
        try {
            return new Literal(Long.valueOf(token.text()));
        } catch (NumberFormatException e) {
            throw new TemplateException("the number " + token.describe() + " does not fit into 64 bits", token.line());
        }
    }

    /** {@code "a" "b"} is one string, as in Python. */
    private Expression adjacentStrings(Token first) {
        StringBuilder text = new StringBuilder(first.text());
        while (tokens.at(Kind.STRING)) {
            text.append(tokens.next().text());
        }
        return new Literal(text.toString());
    }

    private Expression parenthesized() {
        if (tokens.skipOperator(")")) {
            return new Expression.TupleLiteral(List.of());
        }
        Expression value = parseTuple();
        tokens.expectOperator(")");
        return value;
    }

    private List<Expression> elements(String end) {
        List<Expression> elements = new ArrayList<>();
        while (!tokens.skipOperator(end)) {
            elements.add(parse());
            if (!tokens.atOperator(end)) {
                tokens.expectOperator(",");
            }
        }
        return elements;
    }

    private Expression dict() {
        List<Expression.Entry> entries = new ArrayList<>();
        while (!tokens.skipOperator("}")) {
            Expression key = parse();
            tokens.expectOperator(":");
            entries.add(new Expression.Entry(key, parse()));
            if (!tokens.atOperator("}")) {
                tokens.expectOperator(",");
            }
        }
        return new Expression.DictLiteral(entries);
    }

    private Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            if (tokens.skipOperator(".")) {
                Token name = tokens.next();
                value = switch (name.kind()) {
                    case NAME -> new Attribute(value, name.text());
                    case INTEGER -> new Expression.Item(value, integer(name));
                    default ->
                        throw new TemplateException(
                                "expected a name after \".\", found " + name.describe(), name.line());
                };
            } else if (tokens.skipOperator("[")) {
                value = subscript(value);
            } else if (tokens.atOperator("(")) {
                value = new Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression of) {
        Expression start = tokens.atOperator(":") ? null : parseTuple();
        if (tokens.skipOperator("]")) {
            if (start == null) {
                throw tokens.unexpected("an index");
            }
            return new Expression.Item(of, start);
        }
        tokens.expectOperator(":");
        Expression stop = tokens.atOperator(":") || tokens.atOperator("]") ? null : parse();
        Expression step = tokens.skipOperator(":") && !tokens.atOperator("]") ? parse() : null;
        tokens.expectOperator("]");
        return new Expression.Slice(of, start, stop, step);
    }

    private Expression filtered(Expression start) {
        Expression value = start;
        while (true) {
            if (tokens.skipOperator("|")) {
                value = filter(value);
            } else if (tokens.skipName("is")) {
                value = test(value);
            } else if (tokens.atOperator("(")) {
                value = new Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    /** A filter's name and arguments, the bar being read already. */
    Expression.Filter filter(Expression input) {
        Token name = tokens.expect(Kind.NAME, "a filter's name");
        return new Expression.Filter(input, name.text(), tokens.atOperator("(") ? arguments() : CallArguments.NONE);
    }

    private Expression test(Expression input) {
        boolean negated = tokens.skipName("not");
        Token name = tokens.expect(Kind.NAME, "a test's name");
        Expression test = new Expression.Test(input, name.text(), testArguments());
        return negated ? new Expression.Not(test) : test;
    }

    /** {@code is divisibleby(3)} or {@code is divisibleby 3}. */
    private CallArguments testArguments() {
        if (tokens.atOperator("(")) {
            return arguments();
        }
        Token token = tokens.peek();
        boolean argument = switch (token.kind()) {
            case NAME -> !Set.of("else", "or", "and", "if", "is", "in", "not").contains(token.text());
            case STRING, INTEGER, FLOAT -> true;
            default -> tokens.atOperator("[") || tokens.atOperator("{");
        };
        return argument ? new CallArguments(List.of(postfix(primary())), Map.of()) : CallArguments.NONE;
    }

    CallArguments arguments() {
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.skipOperator(")")) {
            if (tokens.atOperator("*") || tokens.atOperator("**")) {
                throw new TemplateException(
                        "* and ** in a call are not supported: write the arguments out", tokens.line());
            }
            if (tokens.at(Kind.NAME) && tokens.peekSecond().isOperator("=")) {
                String name = tokens.next().text();
                tokens.next();
                named.put(name, parse());
            } else if (named.isEmpty()) {
                positional.add(parse());
            } else {
                throw tokens.unexpected("a named argument");
            }
            if (!tokens.atOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        return new CallArguments(positional, named);
    }
}
