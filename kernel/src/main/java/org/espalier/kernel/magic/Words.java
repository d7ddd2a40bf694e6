package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.List;
import org.espalier.EspalierException;

/** A magic's line as words, as a shell splits it: quotes keep spaces, a backslash keeps the next character. */
public final class Words {

    private Words() {}

    /** @throws EspalierException if a quote is not closed */
    public static List<String> of(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = null;
        char quote = 0;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else if (c == '\\' && quote == '"' && i + 1 < line.length()) {
                    word.append(line.charAt(++i));
                } else {
                    word.append(c);
                }
            } else if (Character.isWhitespace(c)) {
                if (word != null) {
                    words.add(word.toString());
                    word = null;
                }
            } else {
                word = word == null ? new StringBuilder() : word;
                if (c == '"' || c == '\'') {
                    quote = c;
                } else if (c == '\\' && i + 1 < line.length()) {
                    word.append(line.charAt(++i));
                } else {
                    word.append(c);
                }
            }
        }
        if (quote != 0) {
            throw new EspalierException("a quote " + quote + " is not closed in: " + line);
        }
        if (word != null) {
            words.add(word.toString());
        }
        return words;
    }
}
