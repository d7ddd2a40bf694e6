package org.espalier.kernel.jshell;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jdk.jshell.Snippet;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.SnippetWrapper;

/** Says of a stack frame in a class of JShell's which cell and line it is. */
final class SnippetFrames {

    private static final Pattern WRAPPER =
            Pattern.compile("REPL\\.(\\$JShell\\$\\d+[A-Z]*(?:_\\d+[A-Z]*)*)(?:\\$(.*))?");

    /** Code that JShell wraps in a method of its own. */
    private static final Pattern TOP_LEVEL = Pattern.compile("do_it\\$(?:Aux)?|lambda\\$do_it\\$.*");

    /** A frame as the JDK prints it. */
    private static final Pattern FRAME = Pattern.compile(
            "(?<=\\bat )(?:[^\\s/()]*//?)*(REPL\\.\\$JShell\\$[^\\s()]*)\\.([^\\s().]+)\\([^():]*(?::(\\d+))?\\)");

    private static final Pattern KERNEL = Pattern.compile(
            "\tat (?:\\w+//)?(?:jdk\\.jshell/.*|java\\.base/jdk\\.internal\\.reflect\\..*|org\\.espalier\\.kernel\\.jshell\\..*|REPL\\.\\$Cancel\\$.*)");

    private static final Pattern LAMBDA = Pattern.compile("lambda\\$(.*)\\$\\d+");

    private final Function<Function<SourceCodeAnalysis, SnippetWrapper>, SnippetWrapper> analysis;
    private final Map<String, Known> known = new ConcurrentHashMap<>();

    private record Known(SnippetWrapper wrapper, Origin origin) {}

    /** @param analysis asks JShell under the lock of its session */
    SnippetFrames(Function<Function<SourceCodeAnalysis, SnippetWrapper>, SnippetWrapper> analysis) {
        this.analysis = analysis;
    }

    /** Remembers the class that a snippet is wrapped in now. */
    void remember(Snippet snippet, Origin origin) {
        if (snippet.kind() != Snippet.Kind.IMPORT && snippet.kind() != Snippet.Kind.ERRONEOUS) {
            // Asked now: who prints holds the stream, and must not wait for the session, whose compiler may wait for
            // the stream.
            SnippetWrapper wrapper = analysis.apply(jshell -> jshell.wrapper(snippet));
            String name = wrapper.fullClassName();
            known.put(name.substring(name.indexOf('.') + 1), new Known(wrapper, origin));
        }
    }

    boolean isCode(StackTraceElement frame) {
        return WRAPPER.matcher(frame.getClassName()).matches();
    }

    /** Whether a frame is JShell's own call of the frame above it. */
    boolean isSameCode(StackTraceElement frame, StackTraceElement above) {
        return frame.getClassName().equals(above.getClassName())
                && frame.getMethodName().equals("do_it$")
                && above.getMethodName().equals("do_it$Aux");
    }

    /** {@code Point.norm (Cell [2], line 3)}; a frame of other code as Java writes it. */
    String text(StackTraceElement frame) {
        Matcher wrapper = WRAPPER.matcher(frame.getClassName());
        if (!wrapper.matches()) {
            return SnippetNames.clean(frame.toString());
        }
        String method = method(wrapper.group(2), frame.getMethodName());
        String place = place(wrapper.group(1), frame.getLineNumber()).orElse("");
        return method.isEmpty() || place.isEmpty() ? method + place : method + " (" + place + ")";
    }

    /** Printed text with frames and names as people know them; null for a line that only says how the kernel calls code. */
    String readable(String text) {
        if (KERNEL.matcher(text).matches()) {
            return null;
        }
        String named = FRAME.matcher(text)
                .replaceAll(frame -> Matcher.quoteReplacement(text(new StackTraceElement(
                        frame.group(1),
                        frame.group(2),
                        null,
                        frame.group(3) == null ? -1 : Integer.parseInt(frame.group(3))))));
        return SnippetNames.clean(named);
    }

    private static String method(String type, String method) {
        if (TOP_LEVEL.matcher(method).matches()) {
            return "";
        }
        Matcher lambda = LAMBDA.matcher(method);
        String name = lambda.matches() ? lambda.group(1) : method;
        // The number of an anonymous class says nothing.
        String named = type == null
                ? ""
                : SnippetNames.clean(type).replaceAll("\\$?\\d+$", "").replace('$', '.');
        return named.isEmpty() ? name : named + "." + name;
    }

    private Optional<String> place(String wrapperName, int line) {
        Known code = known.get(wrapperName);
        if (code == null) {
            return Optional.empty();
        }
        return Optional.of(code.origin().place(code.origin().line(position(code.wrapper(), line))));
    }

    /** The last position of the source that stands in a line of the wrapper. */
    private static int position(SnippetWrapper wrapper, int line) {
        String wrapped = wrapper.wrapped();
        String source = wrapper.source();
        int start = 0;
        for (int i = 1; i < line; i++) {
            start = wrapped.indexOf('\n', start) + 1;
        }
        int last = 0;
        for (int at = start; at < wrapped.length() && wrapped.charAt(at) != '\n'; at++) {
            int position = wrapper.wrappedToSourcePosition(at);
            // What JShell adds is mapped to some place too; it is the same text only where it is the user's.
            if (position > last
                    && position < source.length()
                    && !Character.isWhitespace(wrapped.charAt(at))
                    && source.charAt(position) == wrapped.charAt(at)) {
                last = position;
            }
        }
        return last;
    }
}
