package org.espalier.kernel.jshell;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Collectors;
import jdk.jshell.Diag;
import jdk.jshell.EvalException;
import jdk.jshell.ExpressionSnippet;
import jdk.jshell.JShell;
import jdk.jshell.JShellException;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import jdk.jshell.UnresolvedReferenceException;
import jdk.jshell.VarSnippet;

/**
 * All Java of a notebook. {@link #run} belongs to the thread that runs cells, the rest may be called from any. JShell itself allows one
 * thread at a time, so a lock is held while it compiles or analyses code; while a cell's code runs, the lock is free.
 */
public final class JavaSession implements AutoCloseable {

    private static final List<String> IMPORTS = List.of(
            "java.io.*",
            "java.math.*",
            "java.net.*",
            "java.nio.file.*",
            "java.util.*",
            "java.util.concurrent.*",
            "java.util.function.*",
            "java.util.prefs.*",
            "java.util.regex.*",
            "java.util.stream.*",
            "org.espalier.cluster.*",
            // Everything of a package: a notebook's own class or method of the same name then hides what it has.
            "org.espalier.kernel.display.*",
            "static org.espalier.kernel.display.Display.*",
            "static org.espalier.kernel.magic.NotebookVariables.cluster",
            "org.espalier.node.service.LocalCluster",
            "org.espalier.placement.*",
            "org.espalier.routing.*",
            "org.espalier.sampling.*",
            "org.espalier.score.*",
            "tech.tablesaw.api.*");

    private final ReentrantLock lock = new ReentrantLock();
    private final LiveExecution execution = new LiveExecution(lock);
    private final JShell shell;
    private final SourceCodeAnalysis analysis;

    public JavaSession() {
        shell = JShell.builder()
                .executionEngine(execution.provider(), Map.of())
                .idGenerator((snippet, number) -> Integer.toString(number))
                .fileManager(KernelClasses::new)
                .build();
        IMPORTS.forEach(packages -> eval("import " + packages + ";"));
        analysis = shell.sourceCodeAnalysis(); // last: its index of all names takes a core for a while
    }

    /** Asks JShell about code; waits while a cell is compiled, but not while it runs. */
    public <T> T analyze(Function<SourceCodeAnalysis, T> question) {
        lock.lock();
        try {
            return question.apply(analysis);
        } finally {
            lock.unlock();
        }
    }

    private List<SnippetEvent> eval(String source) {
        lock.lock();
        try {
            return shell.eval(source);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Runs code, one snippet after the other.
     *
     * @return the value of the last expression; empty for none, and for null
     * @throws CodeFailure of the first snippet that fails; what ran before it stays
     * @throws InterruptedException if {@link #stop} or an interrupt of this thread ended it
     */
    public Optional<Object> run(String cell) throws CodeFailure, InterruptedException {
        Optional<Object> result = Optional.empty();
        String rest = cell;
        while (!rest.isBlank()) {
            String code = rest;
            CompletionInfo info = analyze(jshell -> jshell.analyzeCompletion(code));
            boolean whole = info.completeness().isComplete();
            String source = whole ? info.source() : rest;
            result = evaluate(source);
            rest = whole ? info.remaining() : "";
        }
        return result;
    }

    private Optional<Object> evaluate(String source) throws CodeFailure, InterruptedException {
        Optional<Object> result = Optional.empty();
        List<SnippetEvent> events = eval(source);
        if (execution.wasStopped() | Thread.interrupted()) { // both are asked, and so forgotten
            throw new InterruptedException();
        }
        for (SnippetEvent event : events) {
            if (event.causeSnippet() != null) {
                continue; // an earlier snippet that this one changed
            }
            if (event.exception() != null) {
                throw thrown(event.exception());
            }
            if (event.status() == Snippet.Status.REJECTED) {
                throw rejected(event.snippet());
            }
            result = value(event.snippet());
        }
        return result;
    }

    private Optional<Object> value(Snippet snippet) {
        if (snippet instanceof VarSnippet variable
                && variable.subKind() == Snippet.SubKind.TEMP_VAR_EXPRESSION_SUBKIND) {
            return execution.value(variable.name());
        }
        if (snippet instanceof ExpressionSnippet expression
                && expression.subKind() == Snippet.SubKind.VAR_VALUE_SUBKIND) {
            return execution.value(expression.name());
        }
        return Optional.empty();
    }

    private CodeFailure rejected(Snippet snippet) {
        List<Diag> errors = shell.diagnostics(snippet).filter(Diag::isError).toList();
        List<String> traceback = new ArrayList<>();
        for (Diag error : errors) {
            traceback.addAll(Underline.of(snippet.source(), error));
        }
        String message = errors.stream()
                .map(error -> error.getMessage(null).lines().findFirst().orElse(""))
                .collect(Collectors.joining("; "));
        return new CodeFailure("CompilationError", message, traceback);
    }

    private static CodeFailure thrown(JShellException exception) {
        if (exception instanceof UnresolvedReferenceException unresolved) {
            String name = unresolved.getSnippet().name();
            String message = name + " refers to something that is not defined yet";
            return new CodeFailure("UnresolvedReference", message, List.of(message));
        }
        EvalException evaluation = (EvalException) exception;
        List<String> lines = new ArrayList<>();
        for (Throwable cause = evaluation; cause != null; cause = cause.getCause()) {
            String name = cause instanceof EvalException e
                    ? e.getExceptionClassName()
                    : cause.getClass().getName();
            String heading = (lines.isEmpty() ? "" : "Caused by: ")
                    + name
                    + (cause.getMessage() == null ? "" : ": " + cause.getMessage());
            lines.add(Ansi.red(heading));
            for (StackTraceElement frame : cause.getStackTrace()) {
                lines.add("    at " + frame(frame));
            }
        }
        return new CodeFailure(evaluation.getExceptionClassName(), String.valueOf(evaluation.getMessage()), lines);
    }

    /** Snippets' own frames are named after their wrapper class, which says nothing to a reader. */
    private static String frame(StackTraceElement frame) {
        String text = frame.toString();
        int wrapper = text.indexOf("REPL.$JShell$");
        return wrapper < 0 ? text : text.substring(text.indexOf('.', wrapper + 6) + 1);
    }

    /**
     * A variable of the notebook.
     *
     * @param type as it was declared, or inferred
     * @param value null for none
     */
    public record Variable(String name, String type, Object value) {}

    /** All variables that have a name of their own, in the order of their declaration. */
    public List<Variable> variables() {
        lock.lock();
        try {
            return shell.variables()
                    .filter(variable -> variable.subKind() != Snippet.SubKind.TEMP_VAR_EXPRESSION_SUBKIND)
                    .filter(variable -> shell.status(variable) == Snippet.Status.VALID)
                    .map(variable -> new Variable(variable.name(), variable.typeName(), live(variable)))
                    .toList();
        } finally {
            lock.unlock();
        }
    }

    /** The variable of that name. */
    public Optional<Variable> variable(String name) {
        return variables().stream()
                .filter(variable -> variable.name().equals(name))
                .findFirst();
    }

    private Object live(VarSnippet variable) {
        shell.varValue(variable);
        return execution.fetched();
    }

    /** Makes {@code object} known to the notebook's code as a variable. */
    public void define(String name, Class<?> type, Object object) {
        Handoff.put(object);
        String source = type.getCanonicalName() + " " + name + " = (" + type.getCanonicalName() + ") "
                + Handoff.class.getCanonicalName() + ".take();";
        for (SnippetEvent event : eval(source)) {
            if (event.status() == Snippet.Status.REJECTED || event.exception() != null) {
                throw new IllegalStateException("cannot define " + name + ": "
                        + shell.diagnostics(event.snippet())
                                .map(d -> d.getMessage(null))
                                .toList());
            }
        }
    }

    /** Stops what {@link #run} runs; harmless if nothing does. */
    public void stop() {
        shell.stop();
    }

    @Override
    public void close() {
        shell.close();
    }
}
