package org.espalier.kernel.jshell;

import java.util.regex.Pattern;

/** Takes the names of the classes that JShell wraps code into out of what people read. */
public final class SnippetNames {

    private static final Pattern WRAPPER =
            Pattern.compile("(?:REPL\\.)?\\$JShell\\$\\d+[A-Z]*(?:_\\d+[A-Z]*)*(?:[.$]|(?![\\w$]))");
    private static final Pattern ANONYMOUS = Pattern.compile("\\$JShell\\$anonymous\\$+\\d+");
    private static final Pattern LAMBDA = Pattern.compile("\\$Lambda(?:\\$\\d+)?/0x[0-9a-f]+");
    private static final Pattern FORMER =
            Pattern.compile("class (\\S+) cannot be cast to class \\1 \\(.*", Pattern.DOTALL);

    private SnippetNames() {}

    /** {@code REPL.$JShell$24$Point} becomes {@code Point}. */
    public static String clean(String text) {
        if (text == null || !text.contains("$JShell$")) {
            return text;
        }
        String clean = WRAPPER.matcher(text).replaceAll("");
        clean = ANONYMOUS.matcher(clean).replaceAll("an anonymous class");
        clean = LAMBDA.matcher(clean).replaceAll("a lambda");
        return FORMER.matcher(clean)
                .replaceAll("class $1 cannot be cast to class $1: the object was made before class $1 was redefined");
    }
}
