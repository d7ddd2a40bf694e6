package org.espalier.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Python's {@code split}, {@code rsplit} and {@code splitlines}. */
final class Splitting {

    private Splitting() {}

    static List<Object> split(String text, Arguments arguments, Budget budget) {
        String separator = separator(arguments);
        int limit = limit(arguments);
        List<Object> parts = new ArrayList<>();
        if (separator == null) {
            return budget.made(words(text, limit, budget));
        }
        budget.search(text, separator);
        int from = 0;
        for (int at = text.indexOf(separator); at >= 0 && parts.size() < limit; at = text.indexOf(separator, from)) {
            budget.room(parts.size());
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        return budget.made(parts);
    }

    static List<Object> rsplit(String text, Arguments arguments, Budget budget) {
        String separator = separator(arguments);
        int limit = limit(arguments);
        List<Object> parts = new ArrayList<>();
        if (separator == null) {
            String mirrored = new StringBuilder(text).reverse().toString();
            words(mirrored, limit, budget)
                    .forEach(word ->
                            parts.add(new StringBuilder((String) word).reverse().toString()));
        } else {
            budget.search(text, separator);
            int to = text.length();
            for (int at = text.lastIndexOf(separator); at >= 0 && parts.size() < limit; ) {
                budget.room(parts.size());
                parts.add(text.substring(at + separator.length(), to));
                to = at;
                at = to < separator.length() ? -1 : text.lastIndexOf(separator, to - separator.length());
            }
            parts.add(text.substring(0, to));
        }
        Collections.reverse(parts);
        return budget.made(parts);
    }

    /** What is before, the separator, and what is after; two of them empty if there is no separator. */
    static Tuple partition(String text, Arguments arguments, Budget budget, boolean last) {
        arguments.require(0, "sep");
        String separator = separator(arguments);
        budget.search(text, separator);
        int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (at < 0) {
            return last ? Tuple.of("", "", text) : Tuple.of(text, "", "");
        }
        return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
    }

    /** Parts between runs of white space; the last one keeps what is in it once the limit is reached. */
    private static List<Object> words(String text, int limit, Budget budget) {
        List<Object> words = new ArrayList<>();
        int from = skip(text, 0, true);
        while (from < text.length()) {
            if (words.size() == limit) {
                words.add(text.substring(from));
                return words;
            }
            budget.room(words.size());
            int to = skip(text, from, false);
            words.add(text.substring(from, to));
            from = skip(text, to, true);
        }
        return words;
    }

    private static int skip(String text, int from, boolean spaces) {
        int to = from;
        while (to < text.length() && Strings.isSpace(text.charAt(to)) == spaces) {
            to++;
        }
        return to;
    }

    static List<Object> splitlines(String text, Arguments arguments, Budget budget) {
        boolean keepEnds = arguments.truth(0, "keepends", false);
        List<Object> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n'
                    || c == '\r'
                    || c == 0x0B
                    || c == 0x0C
                    || (c >= 0x1C && c <= 0x1E)
                    || c == 0x85
                    || c == 0x2028
                    || c == 0x2029) {
                int end = c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n' ? i + 2 : i + 1;
                budget.room(lines.size());
                lines.add(text.substring(from, keepEnds ? end : i));
                from = end;
                i = end - 1;
            }
        }
        if (from < text.length()) {
            lines.add(text.substring(from));
        }
        return budget.made(lines);
    }

    private static String separator(Arguments arguments) {
        String separator = arguments.text(0, "sep", null);
        if (separator != null && separator.isEmpty()) {
            throw new TemplateException("a text cannot be split at an empty separator");
        }
        return separator;
    }

    private static int limit(Arguments arguments) {
        int limit = arguments.integer(1, "maxsplit", -1);
        return limit < 0 ? Integer.MAX_VALUE : limit;
    }
}
