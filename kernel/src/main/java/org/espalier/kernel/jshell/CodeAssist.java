package org.espalier.kernel.jshell;

import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.net.URI;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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

    /** The open parenthesis of a call, and its arguments before the one that is completed. */
    private static final Pattern ARGUMENT = Pattern.compile("\\w\\s*\\(([^()]*,)?\\s*$");

    private static final Pattern COMPONENTS = Pattern.compile("(\\w)\\([^()]*\\)(?=[.(])");

    private final JavaSession session;

    public CodeAssist(JavaSession session) {
        this.session = session;
    }

    /**
     * @param start where the completed word begins
     * @param matches what may stand in its place, each once
     */
    public record Completion(int start, List<String> matches) {}

    /** What fits the type that is expected comes first: values, then names of that type. */
    public Completion complete(String code, int cursor) {
        int[] anchor = {cursor};
        List<Suggestion> suggestions = session.analyze(jshell -> jshell.completionSuggestions(code, cursor, anchor));
        Set<String> expected = expectedTypes(code, anchor[0]);
        List<String> matches = suggestions.stream()
                .sorted(Comparator.comparing((Suggestion suggestion) ->
                                suggestion.continuation().startsWith("$")) // scratch values
                        .thenComparing(suggestion -> !suggestion.matchesType())
                        .thenComparing(suggestion -> !expected.contains(suggestion.continuation())))
                .map(Suggestion::continuation)
                .distinct()
                .toList();
        return new Completion(anchor[0], matches);
    }

    /** Simple names of the types that the argument at {@code start} may have; none elsewhere. */
    private Set<String> expectedTypes(String code, int start) {
        Matcher call = ARGUMENT.matcher(code.substring(0, start));
        if (!call.find()) {
            return Set.of();
        }
        int place = call.group(1) == null
                ? 0
                : (int) call.group(1).chars().filter(c -> c == ',').count();
        return session.analyze(jshell -> jshell.documentation(code, start, false)).stream()
                .map(method -> ApiSources.parameterTypes(signature(method)))
                .filter(types -> types.size() > place)
                .map(types -> types.get(place))
                .collect(Collectors.toSet());
    }

    /** Signatures and documentation of what the cursor is in or after; empty if there is none. */
    public List<String> document(String code, int cursor) {
        return document(code, cursor, CodeAssist::text);
    }

    /** The same, and the source where it is at hand. */
    public List<String> documentWithSource(String code, int cursor) {
        return document(code, cursor, documentation -> {
            String source = ApiSources.find(signature(documentation))
                    .map(ApiSources.Declaration::source)
                    .orElse("");
            return source.isEmpty() ? text(documentation) : text(documentation) + "\n\n" + source;
        });
    }

    private List<String> document(String code, int cursor, Function<Documentation, String> text) {
        int end = cursor;
        while (end < code.length() && Character.isJavaIdentifierPart(code.charAt(end))) {
            end++;
        }
        List<String> found = documented(code, end, text);
        // JShell documents a method only inside its arguments.
        return found.isEmpty() ? documented(code.substring(0, end) + "(", end + 1, text) : found;
    }

    private List<String> documented(String code, int cursor, Function<Documentation, String> text) {
        return session.analyze(jshell -> jshell.documentation(code, cursor, true)).stream()
                .map(text)
                .distinct()
                .toList();
    }

    /** Newer JDKs write a record's components behind its name wherever it stands. */
    private static String signature(Documentation documentation) {
        String signature = SnippetNames.clean(documentation.signature()).replace("java.lang.", "");
        return COMPONENTS.matcher(signature).replaceAll("$1");
    }

    private static String text(Documentation documentation) {
        String signature = signature(documentation);
        String comment = documentation.javadoc() != null
                ? JavadocText.plain(documentation.javadoc())
                : ApiSources.find(signature)
                        .map(ApiSources.Declaration::comment)
                        .orElse("");
        return comment.isEmpty() ? signature : signature + "\n" + comment;
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
