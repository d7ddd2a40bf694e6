package org.espalier.kernel.jshell;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A doc comment as text: what its tags and HTML mark stays, the marks go. */
final class JavadocText {

    private static final Pattern LINK =
            Pattern.compile("\\{@link(?:plain)?\\s+([^\\s{}(]+(?:\\([^)]*\\))?)(?:\\s+([^{}]+))?\\s*}");
    private static final Pattern INLINE = Pattern.compile("\\{@\\w+\\s+([^{}]*(?:\\{[^{}]*}[^{}]*)*)}");
    private static final Pattern BREAK =
            Pattern.compile("[ \\t]*<(?:p|br|/?ul|/?ol|/?pre|/?dl|/?blockquote|/?table[^>]*)/?>[ \\t]*");
    private static final Pattern ITEM = Pattern.compile("[ \\t]*<(?:li|dt|tr)>[ \\t]*");
    private static final Pattern TAG = Pattern.compile("</?[a-z][^<>]*>");
    private static final Pattern BLANK_LINES = Pattern.compile("\\n\\s*\\n\\s*\\n");

    private JavadocText() {}

    static String plain(String comment) {
        String text = LINK.matcher(comment).replaceAll(link -> {
            String named =
                    link.group(2) == null ? link.group(1).replaceFirst("^#", "").replace('#', '.') : link.group(2);
            return Matcher.quoteReplacement(named);
        });
        text = INLINE.matcher(text).replaceAll("$1");
        text = BREAK.matcher(text).replaceAll("\n");
        text = ITEM.matcher(text).replaceAll("\n- ");
        text = TAG.matcher(text).replaceAll(""); // a type parameter, <T>, is none
        text = text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&nbsp;", " ")
                .replace("&amp;", "&");
        text = BLANK_LINES.matcher(text).replaceAll("\n\n").strip();
        return text.replace("\n ", "\n"); // the blank after each line's asterisk
    }
}
