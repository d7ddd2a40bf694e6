package org.espalier.kernel.jshell;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jshell.Diag;

/** What the compiler says against a snippet. */
record CompileErrors(List<Diag> errors, Origin origin) {

    private static final Pattern JAVA_LANG = Pattern.compile("\\bjava\\.lang\\.(?=[A-Z]\\w*\\b(?!\\.))");
    private static final Pattern NO_LOCATION = Pattern.compile("\\s*location: class\\s*");

    static CompileErrors of(Stream<Diag> diagnostics, Origin origin) {
        return new CompileErrors(diagnostics.filter(Diag::isError).toList(), origin);
    }

    boolean isEmpty() {
        return errors.isEmpty();
    }

    /** Whether the compiler did not find a symbol, {@code class Point}. */
    boolean mentions(String symbol) {
        return errors.stream()
                .flatMap(error -> message(error).stream())
                .anyMatch(line -> line.strip().startsWith("symbol:") && line.endsWith(" " + symbol));
    }

    /** The first line of each error. */
    String summary() {
        return errors.stream().map(error -> message(error).get(0)).distinct().collect(Collectors.joining("; "));
    }

    /** Each error with its place and the code that it is about. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (Diag error : errors) {
            List<String> message = message(error);
            lines.add(Ansi.strong(place(error) + ": " + message.get(0)));
            message.subList(1, message.size()).forEach(line -> lines.add(Ansi.strong(line)));
            lines.addAll(Underline.of(origin, error));
        }
        return lines;
    }

    private String place(Diag error) {
        return origin.place(origin.line((int) Math.max(0, error.getPosition())));
    }

    private static List<String> message(Diag error) {
        List<String> lines = error.getMessage(null)
                .lines()
                .filter(line -> !NO_LOCATION.matcher(line).matches())
                .map(line -> JAVA_LANG.matcher(SnippetNames.clean(line)).replaceAll(""))
                .toList();
        return lines.isEmpty() ? List.of("error") : lines;
    }
}
