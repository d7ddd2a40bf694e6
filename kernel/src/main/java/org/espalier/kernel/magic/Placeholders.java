package org.espalier.kernel.magic;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Variables in a magic's line: {@code {name}} is the value of one, {@code {{} a brace; any other brace is itself. */
final class Placeholders {

    private static final Pattern PLACE =
            Pattern.compile("\\{\\{|\\{(\\p{javaJavaIdentifierStart}\\p{javaJavaIdentifierPart}*)\\}");

    private Placeholders() {}

    static String fill(String text, UnaryOperator<String> value) {
        return PLACE.matcher(text)
                .replaceAll(
                        place -> Matcher.quoteReplacement(place.group(1) == null ? "{" : value.apply(place.group(1))));
    }

    /** The names of the variables. */
    static Set<String> names(String text) {
        Set<String> names = new TreeSet<>();
        PLACE.matcher(text)
                .results()
                .map(MatchResult::group)
                .filter(place -> !place.equals("{{"))
                .forEach(place -> names.add(place.substring(1, place.length() - 1)));
        return names;
    }
}
