package org.espalier.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.espalier.template.Statement.Parameter;
import org.espalier.template.Statement.Target;
import org.espalier.template.Token.Kind;

/** Statements; what stands inside a tag is {@link ExpressionParser}'s. */
final class Parser {

    private static final Set<String> RESERVED =
            Set.of("true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else");

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private int loops;

    private Parser(TokenStream tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    /** @throws TemplateException if the source is not a template of the supported language */
    static List<Statement> parse(String source) {
        Parser parser = new Parser(new TokenStream(Lexer.tokenize(source)));
        List<Statement> statements = parser.bodyUntil();
        if (!parser.tokens.at(Kind.END)) {
            throw parser.tokens.unexpected("a statement");
        }
        return statements;
    }

    /** Statements up to a block with one of these names; the stream is then at that name. */
    private List<Statement> bodyUntil(String... ends) {
        tokens.enter();
        List<Statement> body = new ArrayList<>();
        while (!tokens.at(Kind.END)) {
            Token token = tokens.next();
            switch (token.kind()) {
                case DATA -> body.add(new Statement.Data(token.text(), token.line()));
                case OUTPUT_BEGIN -> {
                    body.add(new Statement.Output(expressions.parseTuple(), token.line()));
                    tokens.expect(Kind.OUTPUT_END, "}}");
                }
                default -> {
                    if (tokens.at(Kind.NAME)
                            && List.of(ends).contains(tokens.peek().text())) {
                        tokens.leave();
                        return body;
                    }
                    body.add(statement());
                }
            }
        }
        if (ends.length > 0) {
            throw new TemplateException(
                    "a block is not closed: add {% " + ends[ends.length - 1] + " %}", tokens.line());
        }
        tokens.leave();
        return body;
    }

    /** As {@link #bodyUntil} with one end, which is read too. */
    private List<Statement> body(String end) {
        endTag();
        List<Statement> body = bodyUntil(end);
        tokens.next();
        endTag();
        return body;
    }

    private void endTag() {
        tokens.expect(Kind.BLOCK_END, "%}");
    }

    private Statement statement() {
        int line = tokens.line();
        Token name = tokens.expect(Kind.NAME, "a statement's name");
        switch (name.text()) {
            case "if":
                return ifStatement(line);
            case "for":
                return forStatement(line);
            case "set":
                return setStatement(line);
            case "macro":
                return macro(line);
            case "call":
                return callBlock(line);
            case "filter":
                Expression.Filter filter = filters(null);
                return new Statement.FilterBlock(filter, body("endfilter"), line);
            case "with":
                return with(line);
            case "generation": // marks the assistant's tokens for training; its text is plain
                return new Statement.With(List.of(), body("endgeneration"), line);
            case "do":
                Expression value = expressions.parseTuple();
                endTag();
                return new Statement.Do(value, line);
            case "break", "continue":
                if (loops == 0) {
                    throw new TemplateException(name.text() + " is outside of a loop: remove it", line);
                }
                endTag();
                return name.text().equals("break") ? new Statement.Break(line) : new Statement.Continue(line);
            default:
                throw new TemplateException(
                        "{% " + name.text()
                                + " %} is not supported here: use if, for, set, macro, call, filter, with, break, continue or raw",
                        line);
        }
    }

    private Statement ifStatement(int line) {
        List<Statement.Branch> branches = new ArrayList<>();
        String kind = "if";
        while (!kind.equals("endif")) {
            Expression condition = kind.equals("else") ? null : expressions.parseTuple();
            endTag();
            List<Statement> body = condition == null ? bodyUntil("endif") : bodyUntil("elif", "else", "endif");
            branches.add(new Statement.Branch(condition, body));
            kind = tokens.next().text();
        }
        endTag();
        return new Statement.If(branches, line);
    }

    private Statement forStatement(int line) {
        Target target = targets();
        if (!tokens.skipName("in")) {
            throw tokens.unexpected("\"in\"");
        }
        Expression iterable = expressions.parseIterable();
        Expression filter = tokens.skipName("if") ? expressions.parse() : null;
        if (tokens.peek().isName("recursive")) {
            throw new TemplateException("recursive loops are not supported: use a macro that calls itself", line);
        }
        endTag();
        loops++;
        List<Statement> body = bodyUntil("else", "endfor");
        loops--;
        List<Statement> orElse = List.of();
        if (tokens.next().isName("else")) {
            endTag();
            orElse = bodyUntil("endfor");
            tokens.next();
        }
        endTag();
        return new Statement.For(target, iterable, filter, body, orElse, line);
    }

    private Statement setStatement(int line) {
        Target target = targets();
        if (tokens.skipOperator("=")) {
            Expression value = expressions.parseTuple();
            endTag();
            return new Statement.Assign(target, value, line);
        }
        Expression.Filter filter = tokens.skipOperator("|") ? filters(null) : null;
        return new Statement.AssignBlock(target, filter, body("endset"), line);
    }

    private Statement macro(int line) {
        String name = tokens.expect(Kind.NAME, "the macro's name").text();
        return new Statement.Macro(name, parameters(), macroBody("endmacro"), line);
    }

    private Statement callBlock(int line) {
        List<Parameter> parameters = tokens.atOperator("(") ? parameters() : List.of();
        if (!(expressions.parse() instanceof Expression.Call call)) {
            throw new TemplateException("{% call %} needs a macro call: write {% call name(...) %}", line);
        }
        return new Statement.CallBlock(
                new Statement.Macro("caller", parameters, macroBody("endcall"), line), call, line);
    }

    /** A break inside of a macro does not end the loop around its definition. */
    private List<Statement> macroBody(String end) {
        int outerLoops = loops;
        loops = 0;
        List<Statement> body = body(end);
        loops = outerLoops;
        return body;
    }

    private List<Parameter> parameters() {
        tokens.expectOperator("(");
        List<Parameter> parameters = new ArrayList<>();
        while (!tokens.skipOperator(")")) {
            String name = variableName();
            parameters.add(new Parameter(name, tokens.skipOperator("=") ? expressions.parse() : null));
            if (!tokens.atOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        return parameters;
    }

    private Statement with(int line) {
        List<Statement.Assign> assignments = new ArrayList<>();
        while (!tokens.at(Kind.BLOCK_END)) {
            Target target = target();
            tokens.expectOperator("=");
            assignments.add(new Statement.Assign(target, expressions.parse(), line));
            if (!tokens.at(Kind.BLOCK_END)) {
                tokens.expectOperator(",");
            }
        }
        return new Statement.With(assignments, body("endwith"), line);
    }

    private Expression.Filter filters(Expression input) {
        Expression.Filter filter = expressions.filter(input);
        while (tokens.skipOperator("|")) {
            filter = expressions.filter(filter);
        }
        return filter;
    }

    /** One target, or several with commas between. */
    private Target targets() {
        Target first = target();
        if (!tokens.atOperator(",")) {
            return first;
        }
        List<Target> targets = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",") && (tokens.at(Kind.NAME) || tokens.atOperator("("))) {
            if (tokens.peek().isName("in")) {
                break;
            }
            targets.add(target());
        }
        return new Target.Unpacking(targets);
    }

    private Target target() {
        if (tokens.skipOperator("(")) {
            tokens.enter();
            Target inner = targets();
            tokens.leave();
            tokens.expectOperator(")");
            return inner;
        }
        String name = variableName();
        return tokens.skipOperator(".")
                ? new Target.NamespaceAttribute(
                        name, tokens.expect(Kind.NAME, "an attribute's name").text())
                : new Target.Variable(name);
    }

    private String variableName() {
        if (tokens.at(Kind.NAME) && RESERVED.contains(tokens.peek().text())) {
            throw tokens.unexpected("a variable's name");
        }
        return tokens.expect(Kind.NAME, "a variable's name").text();
    }
}
