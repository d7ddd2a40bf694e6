package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A magic's line whose rest is text: options first, split as a shell does, then the text, byte for byte. {@code --} ends the options, for a
 * text that begins with a dash.
 *
 * @param options with their values
 * @param text may be empty
 */
record Line(List<String> options, String text) {

    /** @throws EspalierException for an option that {@code command} does not have */
    static Line of(String line, CommandSpec command) {
        List<String> options = new ArrayList<>();
        int at = Words.skipBlanks(line, 0);
        while (at < line.length() && line.charAt(at) == '-') {
            Words.Word word = Words.next(line, at).orElseThrow();
            if (word.text().equals("--")) {
                return new Line(options, line.substring(Math.min(line.length(), word.end() + 1)));
            }
            options.add(word.text());
            at = word.end();
            if (takesNextWord(word.text(), command)) {
                Optional<Words.Word> value = Words.next(line, at);
                value.ifPresent(given -> options.add(given.text()));
                at = value.map(Words.Word::end).orElse(at);
            }
            at = Words.skipBlanks(line, at);
        }
        return new Line(options, line.substring(at));
    }

    private static boolean takesNextWord(String word, CommandSpec command) {
        OptionSpec option = command.findOption(word);
        if (option != null) {
            return option.arity().max() > 0;
        }
        int equals = word.indexOf('=');
        boolean hasItsValue = equals > 0 && command.findOption(word.substring(0, equals)) != null
                || word.matches("-[^-].+") && command.findOption(word.substring(0, 2)) != null;
        if (!hasItsValue) {
            throw new EspalierException(Options.unknown(word, command, " (a text that begins with - goes after --)"));
        }
        return false;
    }

    /** As words again: the text is the last, and no option whatever it begins with. */
    List<String> words() {
        List<String> words = new ArrayList<>(options);
        if (!text.isEmpty()) {
            words.add("--");
            words.add(text);
        }
        return words;
    }
}
