package org.espalier.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/** The methods of Python's strings that templates call. */
final class StringMethods {

    private interface Method {
        Object call(String text, Arguments arguments, Budget budget);
    }

    private static final Map<String, Method> METHODS = Map.ofEntries(
            Map.entry(
                    "startswith",
                    (text, arguments, budget) ->
                            affixes(text, arguments, budget).anyMatch(text::startsWith)),
            Map.entry(
                    "endswith",
                    (text, arguments, budget) ->
                            affixes(text, arguments, budget).anyMatch(text::endsWith)),
            Map.entry("strip", (text, a, budget) -> strip(text, a, budget, true, true)),
            Map.entry("lstrip", (text, a, budget) -> strip(text, a, budget, true, false)),
            Map.entry("rstrip", (text, a, budget) -> strip(text, a, budget, false, true)),
            Map.entry("split", Splitting::split),
            Map.entry("rsplit", Splitting::rsplit),
            Map.entry("splitlines", Splitting::splitlines),
            Map.entry("replace", StringMethods::replace),
            Map.entry(
                    "join",
                    (text, a, budget) ->
                            SequenceFilters.join(Values.iterate(a.require(0, "iterable"), budget), text, budget)),
            Map.entry("upper", (text, arguments, budget) -> text.toUpperCase(Locale.ROOT)),
            Map.entry("lower", (text, arguments, budget) -> text.toLowerCase(Locale.ROOT)),
            Map.entry("title", (text, arguments, budget) -> Strings.title(text)),
            Map.entry("capitalize", (text, arguments, budget) -> Strings.capitalize(text)),
            Map.entry("removeprefix", (text, a, budget) -> {
                String prefix = required(a, 0, "prefix");
                return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
            }),
            Map.entry("removesuffix", (text, a, budget) -> {
                String suffix = required(a, 0, "suffix");
                return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
            }),
            Map.entry("find", (text, a, budget) -> find(text, a, budget, false)),
            Map.entry("rfind", (text, a, budget) -> find(text, a, budget, true)),
            Map.entry("index", (text, a, budget) -> found(find(text, a, budget, false))),
            Map.entry("rindex", (text, a, budget) -> found(find(text, a, budget, true))),
            Map.entry("partition", (text, a, budget) -> Splitting.partition(text, a, budget, false)),
            Map.entry("rpartition", (text, a, budget) -> Splitting.partition(text, a, budget, true)),
            Map.entry("ljust", (text, a, budget) -> Padding.pad(text, a, budget, Padding.Side.RIGHT)),
            Map.entry("rjust", (text, a, budget) -> Padding.pad(text, a, budget, Padding.Side.LEFT)),
            Map.entry("center", (text, a, budget) -> Padding.pad(text, a, budget, Padding.Side.BOTH)),
            Map.entry("zfill", Padding::zeros),
            Map.entry("count", (text, a, budget) -> count(text, sought(text, a, budget))),
            Map.entry("isnumeric", (text, arguments, budget) -> all(text, StringMethods::isNumeric)),
            Map.entry("isdecimal", (text, arguments, budget) -> all(text, Character::isDigit)),
            Map.entry("isdigit", (text, arguments, budget) -> all(text, Character::isDigit)),
            Map.entry("isalpha", (text, arguments, budget) -> all(text, Character::isLetter)),
            Map.entry("isalnum", (text, arguments, budget) -> all(text, Character::isLetterOrDigit)),
            Map.entry("isspace", (text, arguments, budget) -> all(text, Strings::isSpace)),
            Map.entry("isupper", (text, a, b) -> isCased(text) && text.equals(text.toUpperCase(Locale.ROOT))),
            Map.entry("islower", (text, a, b) -> isCased(text) && text.equals(text.toLowerCase(Locale.ROOT))),
            Map.entry("format", BraceFormat::format));

    private StringMethods() {}

    static boolean has(String name) {
        return METHODS.containsKey(name);
    }

    static Object call(String name, String text, Arguments arguments, Budget budget) {
        budget.chars(text.length());
        Object result = METHODS.get(name).call(text, arguments, budget);
        return result instanceof String made ? budget.made(made) : result;
    }

    static String strip(String text, Arguments arguments, Budget budget, boolean left, boolean right) {
        String characters = arguments.text(0, "chars", null);
        budget.search(text, characters == null ? "" : characters);
        return Strings.strip(text, characters, left, right);
    }

    private static String sought(String text, Arguments arguments, Budget budget) {
        String part = required(arguments, 0, "sub");
        budget.search(text, part);
        return part;
    }

    static String required(Arguments arguments, int index, String name) {
        arguments.require(index, name);
        String text = arguments.text(index, name, null);
        if (text == null) {
            throw new TemplateException("the argument \"" + name + "\" must be a string, found none");
        }
        return text;
    }

    /** One string, or a tuple of them. */
    private static Stream<String> affixes(String text, Arguments arguments, Budget budget) {
        return affixes(arguments).stream().peek(affix -> budget.chars(Math.min(text.length(), affix.length())));
    }

    private static List<String> affixes(Arguments arguments) {
        if (arguments.require(0, "affix") instanceof Tuple tuple) {
            Arguments each = new Arguments(tuple.elements(), Map.of());
            List<String> affixes = new ArrayList<>();
            for (int i = 0; i < tuple.elements().size(); i++) {
                affixes.add(required(each, i, "affix"));
            }
            return affixes;
        }
        return List.of(required(arguments, 0, "affix"));
    }

    static String replace(String text, Arguments arguments, Budget budget) {
        String old = required(arguments, 0, "old");
        String replacement = required(arguments, 1, "new");
        int limit = arguments.integer(2, "count", -1);
        budget.search(text, old);
        StringBuilder out = new StringBuilder();
        int from = 0;
        for (int replaced = 0; limit < 0 || replaced < limit; replaced++) {
            int at = text.indexOf(old, from);
            if (at < 0) {
                break;
            }
            int next = at + old.length();
            if (old.isEmpty()) { // an empty string stands before every character and at the end
                next = at < text.length() ? at + Character.charCount(text.codePointAt(at)) : at;
            }
            budget.grow(out.length(), (long) next - from + replacement.length());
            out.append(text, from, at).append(replacement);
            out.append(old.isEmpty() ? text.substring(at, next) : "");
            from = next;
            if (old.isEmpty() && at == text.length()) {
                break;
            }
        }
        return out.append(text, from, text.length()).toString();
    }

    /** The place of the first or last occurrence in characters, -1 if there is none. */
    private static long find(String text, Arguments arguments, Budget budget, boolean last) {
        String part = sought(text, arguments, budget);
        if (arguments.has(1, "start") || arguments.has(2, "end")) {
            throw new TemplateException("searching from a start is not supported: search a slice");
        }
        int index = last ? text.lastIndexOf(part) : text.indexOf(part);
        return index < 0 ? -1 : text.codePointCount(0, index);
    }

    private static Object found(long index) {
        if (index < 0) {
            throw new TemplateException("the substring is not found: use find, which gives -1");
        }
        return index;
    }

    private static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
    }

    private static Object count(String text, String part) {
        if (part.isEmpty()) {
            return Values.length(text) + 1;
        }
        long count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    private static boolean isCased(String text) {
        return text.codePoints().anyMatch(c -> Character.isUpperCase(c) || Character.isLowerCase(c));
    }
}
