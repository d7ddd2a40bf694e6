package org.espalier.model;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Guesses which name a mistyped one was meant to be. */
public final class NearestName {
    private static final int LONGEST = 200;

    private NearestName() {}

    /** The name with the fewest changed letters, at most a third of them; its short form counts too. */
    public static Optional<String> of(String typed, Collection<String> names) {
        if (typed.length() > LONGEST) {
            return Optional.empty();
        }
        int most = Math.max(1, typed.length() / 3);
        return names.stream()
                .filter(name -> name.length() <= LONGEST && distance(typed, name) <= most)
                .min(Comparator.comparingInt(name -> distance(typed, name)));
    }

    private static int distance(String typed, String name) {
        String a = typed.toLowerCase(Locale.ROOT);
        String b = name.toLowerCase(Locale.ROOT);
        return Math.min(edits(a, b), edits(a, b.substring(b.lastIndexOf('/') + 1)));
    }

    /** Levenshtein's distance, row by row. */
    private static int edits(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
