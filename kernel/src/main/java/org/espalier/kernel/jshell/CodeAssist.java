package org.espalier.kernel.jshell;

import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.Completeness;
import jdk.jshell.SourceCodeAnalysis.Documentation;
import jdk.jshell.SourceCodeAnalysis.Suggestion;

/** Help while code is typed: completion, documentation, and whether a cell is whole. */
public final class CodeAssist {

    private final JavaSession session;

    public CodeAssist(JavaSession session) {
        this.session = session;
    }

    /**
     * @param start where the completed word begins
     * @param matches what may stand in its place, each once
     */
    public record Completion(int start, List<String> matches) {}

    public Completion complete(String code, int cursor) {
        int[] anchor = {cursor};
        List<String> matches = session.analyze(jshell -> jshell.completionSuggestions(code, cursor, anchor)).stream()
                .map(Suggestion::continuation)
                .distinct()
                .toList();
        return new Completion(anchor[0], matches);
    }

    /** Signatures and documentation of what the cursor is in or after; empty if there is none. */
    public List<String> document(String code, int cursor) {
        int end = cursor;
        while (end < code.length() && Character.isJavaIdentifierPart(code.charAt(end))) {
            end++;
        }
        List<String> found = signatures(code, end);
        // JShell documents a method only inside its arguments.
        return found.isEmpty() ? signatures(code.substring(0, end) + "(", end + 1) : found;
    }

    private List<String> signatures(String code, int cursor) {
        return session.analyze(jshell -> jshell.documentation(code, cursor, true)).stream()
                .map(CodeAssist::text)
                .distinct()
                .toList();
    }

    private static String text(Documentation documentation) {
        String javadoc = documentation.javadoc();
        return documentation.signature() + (javadoc == null ? "" : "\n" + javadoc);
    }

    /** Whether code can be run as it is. */
    public enum Whole {
        COMPLETE,
        INCOMPLETE,
        INVALID
    }

    public Whole whole(String code) {
        String rest = code;
        while (!rest.isBlank()) {
            String now = rest;
            SourceCodeAnalysis.CompletionInfo info = session.analyze(jshell -> jshell.analyzeCompletion(now));
            Completeness completeness = info.completeness();
            if (completeness == Completeness.EMPTY) {
                return Whole.COMPLETE;
            }
            if (completeness == Completeness.UNKNOWN) {
                return Whole.INVALID;
            }
            if (!completeness.isComplete()) {
                return Whole.INCOMPLETE;
            }
            if (!parses(info.source())) {
                return Whole.INVALID;
            }
            rest = info.remaining();
        }
        return Whole.COMPLETE;
    }

    /** JShell calls {@code int x = = 3;} complete; the compiler's parser knows better. */
    private static boolean parses(String snippet) {
        String closed = snippet.stripTrailing();
        String statement = closed.endsWith(";") || closed.endsWith("}") ? closed : closed + ";";
        return snippet.strip().startsWith("import ")
                || syntaxErrors("class A { void a() { " + statement + "\n} }") == 0
                || syntaxErrors("class A { " + statement + "\n}") == 0
                || syntaxErrors("class A { Object a = " + statement + "\n}") == 0;
    }

    private static long syntaxErrors(String source) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> errors = new DiagnosticCollector<>();
        JavaFileObject file = new SimpleJavaFileObject(URI.create("string:///A.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
        try {
            JavacTask task =
                    (JavacTask) compiler.getTask(null, null, errors, List.of("-proc:none"), null, List.of(file));
            task.parse();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return errors.getDiagnostics().stream()
                .filter(error -> error.getKind() == Diagnostic.Kind.ERROR)
                .count();
    }
}
