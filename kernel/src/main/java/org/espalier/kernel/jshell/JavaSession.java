package org.espalier.kernel.jshell;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import jdk.jshell.DeclarationSnippet;
import jdk.jshell.ExpressionSnippet;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import jdk.jshell.UnresolvedReferenceException;
import jdk.jshell.VarSnippet;
import org.espalier.DaemonThreads;

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

    /** How the compiler's errors begin that a class file's limits cause. */
    private static final String LIMIT = "compiler.err.limit.";

    private final ReentrantLock lock = new ReentrantLock();
    private final LiveExecution execution = new LiveExecution(lock, this::rememberRunning);
    private final SnippetFrames frames = new SnippetFrames(this::analyze);
    private final Origins origins = new Origins(frames::remember);
    private final Queue<Runnable> later = new ConcurrentLinkedQueue<>();
    private final JShell shell;
    private final SourceCodeAnalysis analysis;
    private final Redefinitions redefinitions;

    /** Where the snippet comes from that is evaluated now. */
    private Origin running;

    /** The value of the expression that was evaluated last. */
    private Optional<Object> nameless = Optional.empty();

    /** Of the snippet that was evaluated last; null for none. */
    private CodeFailure tooLarge;

    private volatile long lastUse;

    public JavaSession() {
        shell = JShell.builder()
                .executionEngine(execution.provider(), Map.of())
                .idGenerator((snippet, number) -> Integer.toString(number))
                .fileManager(KernelClasses::new)
                .build();
        IMPORTS.forEach(packages -> shell.eval("import " + packages + ";"));
        redefinitions = new Redefinitions(shell, execution, origins);
        analysis = shell.sourceCodeAnalysis(); // last: its index of all names takes a core for a while
        lastUse = System.nanoTime();
    }

    /** A session that comes up on a thread of its own, which takes most of a second. */
    public static CompletableFuture<JavaSession> start() {
        WarmUp.classes();
        return CompletableFuture.supplyAsync(
                        JavaSession::new,
                        work -> new DaemonThreads("espalier-jshell-start")
                                .newThread(work)
                                .start())
                .thenApply(WarmUp::completion);
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

    /** A snippet may print a trace of its own while it runs, before JShell reports it. */
    private void rememberRunning() {
        shell.snippets().reduce((before, last) -> last).ifPresent(last -> origins.remember(last, running));
    }

    private List<SnippetEvent> eval(String source, Origin origin) {
        List<SnippetEvent> events;
        List<String> notes;
        lock.lock();
        try {
            running = origin;
            events = shell.eval(source);
            events.forEach(event -> dropTooLarge(event, origin));
            execution.restoreVariables();
            origins.remember(events, origin);
            notes = redefinitions.settle(events);
            events.forEach(event -> dropNameless(event.snippet()));
        } finally {
            lastUse = System.nanoTime();
            lock.unlock();
        }
        notes.forEach(
                StandardStreams.err()::println); // without the lock: whoever prints may ask this session what to print
        return events;
    }

    /**
     * What is too large for a class file, such as a method of more than 64 KB, JShell takes for something that is yet to be defined, and says nothing.
     */
    private void dropTooLarge(SnippetEvent event, Origin origin) {
        boolean limit = event.status() == Snippet.Status.RECOVERABLE_NOT_DEFINED
                && shell.diagnostics(event.snippet())
                        .anyMatch(diagnostic -> diagnostic.getCode().startsWith(LIMIT));
        if (limit) {
            tooLarge = rejected(event.snippet(), origin);
            shell.drop(event.snippet());
        }
    }

    /**
     * Takes the value of an expression out of the variable that JShell made for it, and the variable away: all later code would import it, which
     * makes each cell slower than the one before, and its value would stay in memory.
     */
    private void dropNameless(Snippet snippet) {
        if (isNameless(snippet) && shell.status(snippet).isActive()) {
            nameless = execution.takeValue(((VarSnippet) snippet).name());
            shell.drop(snippet);
        }
    }

    private static boolean isNameless(Snippet snippet) {
        return snippet.subKind() == Snippet.SubKind.TEMP_VAR_EXPRESSION_SUBKIND;
    }

    /** Runs code that is not in a cell. */
    public Optional<Object> run(String code) throws CodeFailure, InterruptedException {
        return run(code, "", 1);
    }

    /**
     * Runs code, one snippet after the other.
     *
     * @param code all Java of the cell, or a part of it
     * @param source what errors name, {@code Cell [2]} or a file; empty for none
     * @param line where in the cell the code begins, from 1
     * @return the value of the last expression; empty for none, and for null
     * @throws CodeFailure of the first snippet that fails; what ran before it stays
     * @throws InterruptedException if {@link #stop} or an interrupt of this thread ended it
     */
    public Optional<Object> run(String code, String source, int line) throws CodeFailure, InterruptedException {
        Optional<Object> result = Optional.empty();
        String rest = code;
        while (!rest.isBlank()) {
            String now = rest;
            CompletionInfo info = analyze(jshell -> jshell.analyzeCompletion(now));
            boolean whole = info.completeness().isComplete();
            String snippet = whole ? info.source() : rest;
            int leading = SnippetText.leading(snippet);
            Origin origin = new Origin(source, line, code, code.length() - rest.length() + leading);
            result = evaluate(SnippetText.oneLineImport(snippet.substring(leading)), origin);
            rest = whole ? info.remaining() : "";
        }
        return result;
    }

    private Optional<Object> evaluate(String source, Origin origin) throws CodeFailure, InterruptedException {
        if (StringConstants.areTooLong(source)) {
            String message =
                    "constant string too long: a class holds texts of up to 65,535 bytes; read this one from a file";
            throw new CodeFailure("CompilationError", message, List.of(Ansi.strong(message)));
        }
        Optional<Object> result = Optional.empty();
        List<SnippetEvent> events = eval(source, origin);
        Throwable thrown = execution.takeThrown();
        runLater();
        if (execution.wasStopped() | Thread.interrupted()) { // both are asked, and so forgotten
            throw new InterruptedException();
        }
        if (tooLarge != null) {
            CodeFailure failure = tooLarge;
            tooLarge = null;
            throw failure;
        }
        for (SnippetEvent event : events) {
            if (event.causeSnippet() != null) {
                continue; // an earlier snippet that this one changed
            }
            if (event.exception() instanceof UnresolvedReferenceException unresolved) {
                throw unresolved(unresolved.getSnippet());
            }
            if (event.exception() != null) {
                throw described(() -> new CodeFailure(
                        Trace.name(thrown), String.valueOf(Trace.message(thrown)), Trace.of(thrown, frames, origin)));
            }
            if (event.status() == Snippet.Status.REJECTED) {
                throw rejected(event.snippet(), origin);
            }
            result = value(event.snippet());
        }
        return result;
    }

    /** Text that code prints, with cells and lines instead of what JShell calls them; null for a line that says nothing of the code. */
    public String readable(String text) {
        return frames.readable(text);
    }

    /** Whether nothing was compiled or run for so long, and nothing is now. */
    boolean isQuiet(Duration duration) {
        return !lock.isLocked() && !execution.isRunning() && System.nanoTime() - lastUse > duration.toNanos();
    }

    /** An exception for people to read: its frames name cells and lines. */
    public List<String> trace(Throwable thrown) {
        return Trace.of(thrown, frames);
    }

    private Optional<Object> value(Snippet snippet) {
        if (isNameless(snippet)) {
            Optional<Object> value = nameless;
            nameless = Optional.empty();
            return value;
        }
        if (snippet instanceof ExpressionSnippet expression
                && expression.subKind() == Snippet.SubKind.VAR_VALUE_SUBKIND) {
            return execution.value(expression.name()).or(execution::takeReturned);
        }
        return Optional.empty();
    }

    private CodeFailure rejected(Snippet snippet, Origin origin) {
        CompileErrors errors = CompileErrors.of(shell.diagnostics(snippet), origin);
        List<String> lines = new ArrayList<>(errors.lines());
        lines.addAll(redefinitions.reasons(errors));
        return new CodeFailure("CompilationError", errors.summary(), lines);
    }

    private CodeFailure unresolved(DeclarationSnippet snippet) {
        CompileErrors errors = CompileErrors.of(shell.diagnostics(snippet), origins.of(snippet));
        String message = errors.isEmpty()
                ? snippet.name() + " cannot be used until " + redefinitions.missing(snippet) + " is declared"
                : snippet.name() + " does not compile: " + errors.summary();
        List<String> lines = new ArrayList<>(List.of(Ansi.strong(message)));
        lines.addAll(errors.lines());
        return new CodeFailure("UnresolvedReference", message, lines);
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
                    .filter(variable -> !isNameless(variable))
                    .filter(variable -> shell.status(variable) == Snippet.Status.VALID)
                    .map(variable -> new Variable(
                            variable.name(),
                            variable.typeName(),
                            execution.value(variable.name()).orElse(null)))
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

    /** Adds jars and folders to what code is compiled against and runs with; variables stay. */
    public void addToClassPath(List<Path> entries) {
        lock.lock();
        try {
            entries.forEach(entry -> shell.addToClasspath(entry.toString()));
        } finally {
            lock.unlock();
        }
    }

    /** Whether code is an expression that compiles; the code after it does not matter. */
    public boolean isExpression(String code) {
        return analyze(jshell -> {
            CompletionInfo info = jshell.analyzeCompletion(code);
            return info.completeness().isComplete()
                    && jshell.analyzeType(info.source(), info.source().length()) != null;
        });
    }

    /**
     * Runs work of the kernel's own that calls code of the notebook, for instance {@code toString()}: {@link #stop} stops it. Inside a cell's
     * code, of which a magic may be part, it is part of that code too.
     *
     * @return what the work returns
     * @throws CodeFailure with what the work throws; its message is empty if that has none
     */
    @SuppressWarnings("unchecked")
    public <T> T runStoppable(Callable<T> work) throws CodeFailure, InterruptedException {
        try {
            return (T) execution.run(work);
        } catch (InvocationTargetException e) {
            throw failed(e.getCause());
        } catch (InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw failed(e);
        } finally {
            runLater();
        }
    }

    private CodeFailure failed(Throwable thrown) throws InterruptedException {
        return described(
                () -> new CodeFailure(Trace.name(thrown), Objects.toString(Trace.message(thrown), ""), trace(thrown)));
    }

    /** An exception's {@code getMessage()} is code of the notebook too, and may have to be stopped. */
    private CodeFailure described(Callable<CodeFailure> description) throws InterruptedException {
        try {
            return (CodeFailure) execution.run(description);
        } catch (InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void runLater() {
        for (Runnable next = execution.isRunning() ? null : later.poll(); next != null; next = later.poll()) {
            next.run();
        }
    }

    /** How long the notebook's code ran so far, without what compiling it took. */
    public long ranNanos() {
        return execution.ranNanos();
    }

    /** Makes {@code object} known to the notebook's code as a variable; while code runs, from its end on. */
    public void define(String name, Class<?> type, Object object) {
        if (execution.isRunning()) {
            later.add(() -> define(name, type, object));
            return;
        }
        Handoff.put(object);
        String source = type.getCanonicalName() + " " + name + " = (" + type.getCanonicalName() + ") "
                + Handoff.class.getCanonicalName() + ".take();";
        for (SnippetEvent event : eval(source, new Origin("", 1, source, 0))) {
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
