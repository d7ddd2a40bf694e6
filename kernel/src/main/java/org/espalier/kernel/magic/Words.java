package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;

/** A magic's line as words, as a shell splits it: quotes keep spaces, a backslash keeps the next character. */
public final class Words {

    private Words() {}

    /**
     * A word without its quotes.
     *
     * @param end where it ends in the line
     */
    record Word(String text, int end) {}

    /** @throws EspalierException if a quote is not closed */
    public static List<String> of(String line) {
        List<String> words = new ArrayList<>();
        Optional<Word> word = next(line, 0);
        while (word.isPresent()) {
            words.add(word.get().text());
            word = next(line, word.get().end());
        }
        return words;
    }

    /** The first word that begins at {@code from} or later. */
    static Optional<Word> next(String line, int from) {
        int at = skipBlanks(line, from);
        if (at == line.length()) {
            return Optional.empty();
        }
        StringBuilder word = new StringBuilder();
        char quote = 0;
        for (; at < line.length(); at++) {
            char c = line.charAt(at);
            if (c == '\\' && quote != '\'' && at + 1 < line.length()) {
                word.append(line.charAt(++at));
            } else if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else {
                    word.append(c);
                }
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (isBlank(c)) {
                break;
            } else {
                word.append(c);
            }
        }
        if (quote != 0) {
            throw new EspalierException("a quote " + quote + " is not closed in: " + line);
        }
        return Optional.of(new Word(word.toString(), at));
    }

    static int skipBlanks(String line, int from) {
        int at = from;
        while (at < line.length() && isBlank(line.charAt(at))) {
            at++;
        }
        return at;
    }

    private static boolean isBlank(char c) {
        return " \t\r\n\f".indexOf(c) >= 0;
    }
}
